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
    /// Prints lines for whoever asked.
    static func write(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        print(lines.joined(separator: "\n"))
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
