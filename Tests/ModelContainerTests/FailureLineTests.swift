import ContainerRPC
import Logging
import Testing

@testable import ModelContainer

@Suite("What is logged of failures")
struct FailureLineTests {
    private struct Broken: Error, CustomStringConvertible {
        var description: String { "broken" }
    }

    /// The line of a batch with these errors in place of outputs.
    private func line(_ errors: any Error...) -> FailureLine? {
        var outputs = Outputs(["cat"])
        for error in errors { outputs.appendFailure(error) }
        return FailureLine(.success(outputs))
    }

    /// The line of a batch that failed as a whole.
    private func line(wholeBatch error: any Error) -> FailureLine? {
        FailureLine(.failure(FailureReport(of: error)))
    }

    @Test("A batch with all its outputs has none")
    func success() {
        #expect(line() == nil)
    }

    @Test("A fault of the model is an error")
    func modelError() throws {
        let one = try #require(line(Broken()))
        #expect((one.level, one.text, one.failed) == (.error, "the model failed: broken", 1))
        let batch = try #require(line(wholeBatch: Broken()))
        #expect((batch.level, batch.text, batch.failed) == (.error, "batch failed: broken", nil))
    }

    @Test("An input that the model refuses is none: it is its sender's fault")
    func invalidInput() throws {
        let two = try #require(line(InvalidInput("no zeros"), InvalidInput("no ones")))
        #expect((two.level, two.text, two.failed) == (.info, "invalid input: no zeros", 2))
        let batch = try #require(line(wholeBatch: InvalidInput("no zeros")))
        #expect((batch.level, batch.text) == (.info, "batch refused: no zeros"))
    }

    @Test("Among refused inputs, a fault of the model is not overlooked")
    func both() throws {
        let both = try #require(line(InvalidInput("no zeros"), Broken()))
        #expect((both.level, both.text, both.failed) == (.error, "the model failed: broken", 2))
    }

    @Test("A batch that came too late is nobody's fault here")
    func tooLate() throws {
        #expect(try #require(line(wholeBatch: ContainerError.tooLate(by: .seconds(1)))).level == .debug)
    }
}
