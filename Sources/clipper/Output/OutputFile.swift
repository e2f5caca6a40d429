import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files that commands write their results to.
enum OutputFile {
    /// Makes sure, before what takes its time, that its results can be written. What is in the file stays.
    ///
    /// - Throws: ``CommandFailure`` for a file that cannot be written.
    static func checkCanWrite(_ path: String) throws(CommandFailure) {
        func refuse(_ number: Int32) -> CommandFailure { failure(path, "\(InputSource.FileProblem(number))") }
        var status = stat()
        // What is there, a pipe perhaps, or a link to what is not there yet, is not opened: that could change it.
        guard lstat(path, &status) != 0 else {
            if status.st_mode & S_IFMT == S_IFDIR { throw refuse(EISDIR) }
            if status.st_mode & S_IFMT != S_IFLNK, access(path, W_OK) != 0 { throw refuse(errno) }
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw refuse(errno) }
        close(descriptor)
        unlink(path)
    }

    /// - Throws: ``CommandFailure`` for a file that cannot be written.
    static func write(_ text: String, to path: String) throws(CommandFailure) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw failure(path, error.localizedDescription)
        }
    }

    private static func failure(_ path: String, _ reason: String) -> CommandFailure {
        CommandFailure(cause: .unwritten, message: "'\(path)' cannot be written: \(reason)")
    }
}
