import ContainerRPC
import Testing

@testable import ModelContainer

@Suite("Finding the inputs at which a model throws")
struct IsolationTests {
    private struct Bad: Error {
        var input: Double
    }

    /// A batch of the numbers 0, 1, …
    private func batch(_ count: Int) -> InputValues {
        InputValues(elements: .float64((0..<count).map(Double.init)), rowEnds: Array(1...count))
    }

    /// A model that throws at some inputs, and how often it ran.
    private func run(
        _ count: Int, bad: Set<Double>, mayFail: Bool = true, expires: MonotonicTime? = nil
    ) throws -> (outputs: Outputs, runs: Int) {
        var runs = 0
        let isolation = Isolation(batch(count), mayFail: mayFail, expires: expires)
        let outputs = try isolation.blockingOutputs { inputs in
            runs += 1
            let batch = try InputBatch<Double>(inputs)
            if let first = batch.elements.first(where: bad.contains) { throw Bad(input: first) }
            return try OutputEncoding().outputs(batch.elements.map { .success($0) }, inputCount: batch.count)
        }
        return (outputs, runs)
    }

    @Test("One bad input of a hundred is found in fifteen runs; all others have their outputs", arguments: [0, 41, 99])
    func oneBad(bad: Int) throws {
        let (outputs, runs) = try run(100, bad: [Double(bad)])
        #expect(runs <= 15)
        #expect(outputs.errors == [ItemError(index: bad, code: .modelError, text: "Bad(input: \(Double(bad)))")])
        #expect(outputs.strings == (0..<100).map { $0 == bad ? "" : "\(Double($0))" })
    }

    @Test("Some bad inputs are all found")
    func someBad() throws {
        let (outputs, _) = try run(64, bad: [3, 40])
        #expect(outputs.errors.map(\.index) == [3, 40])
    }

    @Test("A model that throws at everything is not run for ever; every input has an error")
    func allBad() throws {
        let (outputs, runs) = try run(1000, bad: Set((0..<1000).map(Double.init)))
        #expect(runs <= 40)
        #expect(outputs.errors.map(\.index) == Array(0..<1000))
        #expect(outputs.count == 1000)
    }

    @Test("A batch that all is well with is run once")
    func noneBad() throws {
        #expect(try run(100, bad: []).runs == 1)
    }

    @Test("A closure for one input is called once for each, also where JSON cannot say some of its outputs")
    func noJSON() throws {
        let calls = Locked(0)
        let container = ModelContainer { (input: [Double]) -> [String: Double] in
            calls.withLock { $0 += 1 }
            return ["score": input[0].truncatingRemainder(dividingBy: 100) == 0 ? .nan : input[0]]
        }
        guard case .blocking(let predict) = container.model else {
            Issue.record("a closure is taken for the other kind")
            return
        }
        let outputs = try Isolation(batch(1000), mayFail: true).blockingOutputs(predict)
        let count = calls.withLock { $0 }
        #expect(count == 1000)
        #expect(outputs.errors.map(\.index) == Array(stride(from: 0, to: 1000, by: 100)))
        #expect(outputs.strings.filter(\.isEmpty).count == 10)
    }

    @Test("Once its task is cancelled, an asynchronous model is not run again")
    func cancelled() async {
        let runs = Locked(0)
        let isolation = Isolation(batch(10), mayFail: true)
        await #expect(throws: CancellationError.self) {
            try await inCancelledTask {
                try await isolation.suspendingOutputs { _ in
                    runs.withLock { $0 += 1 }
                    return []
                }
            }
        }
        let count = runs.withLock { $0 }
        #expect(count == 0)
    }

    @Test("Where an error cannot be told, the batch fails with its first")
    func cannotTell() {
        #expect(throws: Bad.self) { try run(100, bad: [7], mayFail: false) }
    }

    @Test("A single input fails as what it threw")
    func single() {
        #expect(throws: Bad.self) { try run(1, bad: [0]) }
    }

    @Test("A wrong number of outputs fails the batch: smaller ones would have it, too")
    func wrongCount() {
        var runs = 0
        #expect(throws: ContainerError.wrongOutputCount(expected: 10, found: 9)) {
            try Isolation(batch(10), mayFail: true).blockingOutputs { _ in
                runs += 1
                throw ContainerError.wrongOutputCount(expected: 10, found: 9)
            }
        }
        #expect(runs == 1)
    }

    @Test("A model that cannot answer now is not run again: the batch fails with what it said")
    func unavailable() {
        var runs = 0
        #expect(throws: Unavailable("no memory")) {
            try Isolation(batch(10), mayFail: true).blockingOutputs { _ in
                runs += 1
                throw Unavailable("no memory")
            }
        }
        #expect(runs == 1)
    }

    @Test("Once the time is up, nothing is run again: every input is too late, and says what was thrown")
    func timeIsUp() throws {
        let (outputs, runs) = try run(4, bad: [2], expires: MonotonicTime(nanoseconds: 0))
        #expect(runs == 1)
        #expect(outputs.count == 4)
        #expect(outputs.errors.map(\.code) == [FailureCode](repeating: .tooLate, count: 4))
        #expect(outputs.errors.allSatisfy { $0.text.contains("Bad(input: 2.0)") })
    }

    @Test("While there is time, the bad input is found")
    func timeIsLeft() throws {
        let (outputs, _) = try run(4, bad: [2], expires: .distantFuture)
        #expect(outputs.errors.map(\.index) == [2])
    }

    @Test("A closure can say that an input is none that its model takes")
    func invalidInput() throws {
        let outputs = try Isolation(batch(2), mayFail: true).blockingOutputs { inputs in
            if inputs.slice(0..<1) == batch(1) { throw InvalidInput("no zeros") }
            return ["one"]
        }
        #expect(outputs.errors == [ItemError(index: 0, code: .invalidInput, text: "no zeros")])
        #expect(outputs.strings == ["", "one"])
    }
}
