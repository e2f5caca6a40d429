import Foundation
import TestSupport
import Testing

@testable import clipper

@Suite("Files for results")
struct OutputFileTests {
    @Test("What cannot be written is told before, and what can be is left as it was")
    func checksFiles() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path("x.json")
        try OutputFile.checkCanWrite(path)
        #expect(!FileManager.default.fileExists(atPath: path))
        try OutputFile.write("1", to: path)
        try OutputFile.checkCanWrite(path)
        #expect(try InputSource.bytes(of: path) == Data("1".utf8))
        for bad in [folder.url.path, path + "/y"] {
            let failure = #expect(throws: CommandFailure.self) { try OutputFile.checkCanWrite(bad) }
            #expect(failure?.exitCode == 1)
        }
        #expect(throws: InputSource.FileProblem.self) { try InputSource.bytes(of: folder.url.path) }
    }

    @Test("What cannot be written after all has the same exit code")
    func failsLate() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let failure = #expect(throws: CommandFailure.self) { try OutputFile.write("1", to: folder.url.path) }
        #expect(failure?.exitCode == 1)
    }
}
