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

    @Test("That the model cannot answer now is no fault of it")
    func unavailable() throws {
        let one = try #require(line(Unavailable("warming up")))
        #expect((one.level, one.text, one.failed) == (.notice, "unavailable: warming up", 1))
        let batch = try #require(line(wholeBatch: Unavailable("warming up")))
        #expect((batch.level, batch.text, batch.failed) == (.notice, "unavailable: warming up", nil))
    }

    @Test("Where inputs of a batch have failed in several ways, each is told, the worst first and by its level")
    func several() throws {
        let two = try #require(line(InvalidInput("no zeros"), Broken(), InvalidInput("no ones")))
        #expect(
            (two.level, two.text, two.failed) == (.error, "the model failed: broken; invalid input: no zeros", 3))
        let other = try #require(line(InvalidInput("no zeros"), Unavailable("warming up")))
        #expect((other.level, other.text) == (.notice, "unavailable: warming up; invalid input: no zeros"))
    }

    @Test("Refused inputs, as many as they may be, hide no fault of the model; each kind counts its own")
    func limits() throws {
        let (refusal, fault) = (try #require(line(InvalidInput("no zeros"))), try #require(line(Broken())))
        let start = MonotonicTime(nanoseconds: 0)
        var limits = FailureLimits()
        let admitted = (0..<100).map { _ in limits.admit(refusal, shown: .info, now: start) }
        #expect(admitted == [Int?](repeating: 0, count: 10) + [Int?](repeating: nil, count: 90))
        #expect(limits.admit(fault, shown: .info, now: start) == 0)
        #expect(limits.admit(refusal, shown: .info, now: start + .seconds(1)) == 90)
    }

    @Test("Lines that the logger does not show take no other's turn, and those of batches that came too late none")
    func unshown() throws {
        let refusal = try #require(line(InvalidInput("no zeros")))
        let late = try #require(line(wholeBatch: ContainerError.tooLate(by: .seconds(1))))
        let start = MonotonicTime(nanoseconds: 0)
        var limits = FailureLimits()
        for _ in 0..<100 {
            #expect(limits.admit(refusal, shown: .error, now: start) == nil)
            #expect(limits.admit(late, shown: .info, now: start) == nil)
            #expect(limits.admit(late, shown: .debug, now: start) == 0)
        }
        #expect(limits.admit(refusal, shown: .info, now: start) == 0)
    }

    @Test("A batch that came too late is nobody's fault here")
    func tooLate() throws {
        #expect(try #require(line(wholeBatch: ContainerError.tooLate(by: .seconds(1)))).level == .debug)
    }
}
