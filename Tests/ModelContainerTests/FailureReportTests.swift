import ContainerRPC
import Foundation
import Testing

@testable import ModelContainer

@Suite("What is told of an error")
struct FailureReportTests {
    /// An error that counts how often its text is made.
    private struct Counted: Error, CustomStringConvertible {
        let renderings = Locked(0)

        var description: String {
            renderings.withLock { $0 += 1 }
            return "counted"
        }

        var count: Int { renderings.withLock { $0 } }
    }

    private static let long = InvalidInput(String(repeating: "x", count: 5000))
    private static let cut = String(repeating: "x", count: 1021) + "…"

    @Test("A text of 1,024 bytes is told as it is", arguments: [("x", 1024), ("ü", 512), ("😀", 256)])
    func fits(character: String, count: Int) {
        let text = String(repeating: character, count: count)
        #expect(FailureReport(of: InvalidInput(text)).text == text)
    }

    @Test("A longer one is cut between two characters, and takes 1,024 at most", arguments: ["x", "ü", "€", "😀"])
    func isCut(character: String) {
        let text = FailureReport(of: InvalidInput(String(repeating: character, count: 2000))).text
        let kept = 1021 / character.utf8.count
        #expect(text == String(repeating: character, count: kept) + "…")
        #expect(text.utf8.count <= 1024)
    }

    @Test("An error with a text for people is told by that text, where it has one", arguments: ["no such file", nil])
    func localized(text: String?) {
        struct Told: LocalizedError {
            var errorDescription: String?
        }
        let error = Told(errorDescription: text)
        #expect(FailureReport(of: error).text == text ?? "\(error)")
    }

    @Test("What JSON cannot say is told by what it is")
    func encodingError() throws {
        let error = try #require(throws: EncodingError.self) { try JSONEncoder().encode(["score": Double.nan]) }
        #expect(FailureReport(of: error).text.contains("nan"))
    }

    @Test("It is made once of an error, however many inputs have it")
    func oncePerError() {
        let error = Counted()
        var outputs = Outputs()
        outputs.appendFailure(error, count: 5000)
        #expect(outputs.errors.count == 5000)
        #expect(error.count == 1)
    }

    @Test("It is made once for each part of a batch that failed, at most")
    func oncePerPart() throws {
        let error = Counted()
        var runs = 0
        let inputs = InputValues(elements: .float64([Double](repeating: 0, count: 1000)), rowEnds: Array(1...1000))
        let outputs = try Isolation(inputs, mayFail: true).blockingOutputs { _ in
            runs += 1
            throw error
        }
        #expect(outputs.errors.map(\.text) == [String](repeating: "counted", count: 1000))
        #expect(error.count <= runs)
    }

    @Test("A closure for one input has its errors cut, too")
    func perInput() throws {
        let outputs = OutputEncoding().outputs([.success(1), .failure(Self.long)])
        #expect(outputs.errors == [ItemError(index: 1, code: .invalidInput, text: Self.cut)])
    }

    @Test("So has a batch that failed as a whole")
    func wholeBatch() {
        let job = BatchJob(request: .batch(1, [4]), session: 0, canFail: true)
        let done = job.run { _ in throw Self.long }
        #expect(done.batchResult == .failure(code: .invalidInput, reason: Self.cut))
    }

    @Test("So has one whose model is asynchronous")
    func wholeBatchSuspending() async {
        let job = BatchJob(request: .batch(1, [4]), session: 0, canFail: true)
        let done = await job.runSuspending { _ in throw Self.long }
        #expect(done.batchResult == .failure(code: .invalidInput, reason: Self.cut))
    }
}
