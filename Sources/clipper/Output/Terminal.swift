import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output and standard error.
enum Terminal {
    /// Prints lines for whoever asked. Where they cannot be printed, on a full disk for one, the process ends with 1: nothing
    /// that comes after could make up for it. Where nobody reads them any more, it ends as by SIGPIPE.
    static func write(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        do {
            try send(lines.joined(separator: "\n") + "\n")
        } catch {
            end(error)
        }
    }

    /// Ends the process for what `send` has thrown.
    static func end(_ error: any Error) -> Never {
        // Whoever read it has seen enough, as `head` has: others end by SIGPIPE, in silence.
        if system(error)?.code == Int(EPIPE) { exit(128 + SIGPIPE) }
        note("error: standard output cannot be written: \(reason(of: error))")
        exit(1)
    }

    /// Why `send` has thrown, in the system's words.
    static func reason(of error: any Error) -> String {
        system(error).map { String(cString: strerror(Int32(clamping: $0.code))) } ?? error.localizedDescription
    }

    private static func system(_ error: any Error) -> NSError? {
        (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    }

    /// Prints a line beside the output.
    static func note(_ line: String) {
        // A closed standard error is no reason to fail: there is nobody to tell.
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Sends a text to standard output at once.
    ///
    /// - Throws: where nobody reads it any more.
    static func send(_ text: String) throws {
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }

    /// Standard output as a screen to draw on; `nil` where it is none.
    ///
    /// - Parameter environment: `TERM` says what a terminal can do, `NO_COLOR` (no-color.org) that none is wanted.
    static func screen(environment: [String: String] = ProcessInfo.processInfo.environment) -> Screen? {
        guard isatty(STDOUT_FILENO) == 1, let kind = environment["TERM"], !["", "dumb"].contains(kind) else {
            return nil
        }
        let size = size
        return Screen(
            columns: size.columns, rows: size.rows, showsColour: environment["NO_COLOR", default: ""].isEmpty)
    }

    private static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
