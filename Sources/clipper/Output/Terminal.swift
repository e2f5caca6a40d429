import Foundation

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
}
