import ContainerRPC
import Synchronization
import Testing

@testable import ModelContainer

private struct Broken: Error {}

@Suite("A container without a network: closures")
struct ModelContainerTests {
    @Test("A closure for one input answers each input of a batch, in order")
    func perInput() async throws {
        let container = ModelContainer { (input: [Double]) in input.reduce(0, +) }
        #expect(try await container.predict([[1.0, 2.0], [], [-0.5]]) == ["3.0", "0.0", "-0.5"])
    }

    @Test("The closure's parameter says what the model takes")
    func inputTypes() async throws {
        let bytes = ModelContainer { (input: [UInt8]) in input.count }
        let integers = ModelContainer { (input: [Int32]) in input.first ?? 0 }
        let floats = ModelContainer { (input: [Float]) in input.first ?? 0 }
        let doubles = ModelContainer { (input: [Double]) in input.first ?? 0 }
        let strings = ModelContainer { (input: String) in input.uppercased() }
        #expect(
            [bytes, integers, floats, doubles, strings].map(\.inputType)
                == [.bytes, .int32, .float32, .float64, .string])
        #expect(try await bytes.predict([[0, 255] as [UInt8], []]) == ["2", "0"])
        #expect(try await integers.predict([[Int32.min], [.max]]) == ["-2147483648", "2147483647"])
        #expect(try await floats.predict([[0.1 as Float]]) == ["0.1"])
        #expect(try await doubles.predict([[0.1]]) == ["0.1"])
        #expect(try await strings.predict(["grün", "", "a\0b"]) == ["GRÜN", "", "A\0B"])
    }

    @Test("A closure for a batch gets all inputs at once")
    func perBatch() async throws {
        let bytes = ModelContainer { (batch: InputBatch<UInt8>) in batch.map(\.count) }
        let integers = ModelContainer { (batch: InputBatch<Int32>) in batch.map { $0.reduce(0, +) } }
        let floats = ModelContainer { (batch: InputBatch<Float>) in batch.map { $0.reduce(0, +) } }
        let doubles = ModelContainer { (batch: InputBatch<Double>) in batch.map { _ in batch.elements.count } }
        let strings = ModelContainer { (batch: [String]) in batch.map { "\($0) of \(batch.count)" } }
        #expect(
            [bytes, integers, floats, doubles, strings].map(\.inputType)
                == [.bytes, .int32, .float32, .float64, .string])
        #expect(try await bytes.predict([[1, 2] as [UInt8], []]) == ["2", "0"])
        #expect(try await integers.predict([[1, 2] as [Int32], [3]]) == ["3", "3"])
        #expect(try await floats.predict([[0.5, 0.25] as [Float]]) == ["0.75"])
        #expect(try await doubles.predict([[1.0], [2.0, 3.0]]) == ["3", "3"])
        #expect(try await strings.predict(["a", "b"]) == ["a of 2", "b of 2"])
    }

    @Test("Closures may be asynchronous, per input and per batch")
    func asynchronous() async throws {
        let perInput = ModelContainer { (input: [Double]) async in
            await Task.yield()
            return input.count
        }
        let perBatch = ModelContainer { (batch: InputBatch<Double>) async throws in
            await withTaskGroup(of: (Int, Double).self) { group in
                for (row, input) in batch.enumerated() { group.addTask { (row, input.reduce(0, +)) } }
                return await group.reduce(into: Array(repeating: 0.0, count: batch.count)) { $0[$1.0] = $1.1 }
            }
        }
        let strings = ModelContainer { (batch: [String]) async in
            await Task.yield()
            return batch.map(\.count)
        }
        #expect(try await perInput.predict([[1.0], [1.0, 2.0]]) == ["1", "2"])
        #expect(try await perBatch.predict([[1.0], [1.0, 2.0]]) == ["1.0", "3.0"])
        #expect(try await strings.predict(["a", "bcd"]) == ["1", "3"])
    }

    @Test("A closure that is asynchronous does not hold a thread; one that is not may block one")
    func kinds() {
        let blocking = ModelContainer { (input: [Double]) in input.count }
        let suspending = ModelContainer { (input: [Double]) async in input.count }
        guard case .blocking = blocking.model, case .suspending = suspending.model else {
            Issue.record("a closure is taken for the other kind")
            return
        }
    }

    @Test("What a closure throws is thrown; of one that takes inputs one by one, with the input")
    func throwing() async {
        let perInput = ModelContainer { (input: [Double]) throws -> Int in
            guard input != [13] else { throw Broken() }
            return input.count
        }
        let perBatch = ModelContainer { (_: InputBatch<Double>) async throws -> [Int] in throw Broken() }
        await #expect(throws: PredictionFailure(input: 1, code: .modelError, reason: "\(Broken())")) {
            try await perInput.predict([[1.0], [13.0]])
        }
        await #expect(throws: Broken.self) { try await perBatch.predict([[1.0]]) }
    }

    @Test(
        "The failure tells an input that is no good, and a model that cannot answer now, from other errors",
        arguments: [("x", .invalidInput), ("y", .unavailable), ("z", .modelError)] as [(String, FailureCode)])
    func failureCodes(input: String, code: FailureCode) async throws {
        let container = ModelContainer { (input: String) throws -> Int in
            switch input {
            case "x": throw InvalidInput("no x")
            case "y": throw Unavailable("no y")
            default: throw Broken()
            }
        }
        let failure = try await #require(throws: PredictionFailure.self) { try await container.predict([input]) }
        #expect(failure.code == code)
        if code == .invalidInput { #expect(failure.description == "input 0: no x (invalid input)") }
    }

    @Test("A test can say how much time is left, and which trace the batch belongs to")
    func batchContext() async throws {
        let blocking = ModelContainer { (input: String) -> String in
            guard let context = BatchContext.current else { return "none" }
            if let remaining = context.remaining, remaining < .seconds(1) { return "in haste" }
            return context.trace?.parent ?? "at leisure"
        }
        let suspending = ModelContainer { (batch: [String]) async -> [Bool] in
            batch.map { _ in BatchContext.current?.remaining == nil }
        }
        #expect(try await blocking.predict(["a"]) == ["none"])
        #expect(try await blocking.predict(["a"], in: BatchContext()) == ["at leisure"])
        #expect(try await blocking.predict(["a"], in: BatchContext(remaining: .zero)) == ["in haste"])
        let traced = BatchContext(remaining: .seconds(3600), trace: TraceContext(parent: "00-1-2-01"))
        #expect(try await blocking.predict(["a"], in: traced) == ["00-1-2-01"])
        #expect(try await suspending.predict(["a"], in: traced) == ["false"])
        #expect(try await suspending.predict(["a"]) == ["true"])
    }

    @Test("An asynchronous closure for one input is called for no more of them once its task is cancelled")
    func cancelled() async {
        let calls = Locked(0)
        let container = ModelContainer { (input: [Double]) async -> Int in
            calls.withLock { $0 += 1 }
            return input.count
        }
        await #expect(throws: CancellationError.self) {
            try await inCancelledTask { try await container.predict([[1.0], [2.0]]) }
        }
        let count = calls.withLock { $0 }
        #expect(count == 0)
    }

    @Test("Another number of outputs than inputs is an error that names both", arguments: [0, 1, 3])
    func wrongCount(count: Int) async {
        let numbers = ModelContainer { (_: InputBatch<Double>) in Array(repeating: 1, count: count) }
        let strings = ModelContainer { (_: [String]) async in Array(repeating: 1, count: count) }
        let expected = ContainerError.wrongOutputCount(expected: 2, found: count)
        await #expect(throws: expected) { try await numbers.predict([[1.0], [2.0]]) }
        await #expect(throws: expected) { try await strings.predict(["a", "b"]) }
        #expect(expected.description == "the model returned \(count) output\(count == 1 ? "" : "s") for 2 inputs")
    }

    @Test("Inputs of another type than the closure's are an error that names both")
    func wrongType() async {
        let container = ModelContainer { (input: [Double]) in input.count }
        let expected = ContainerError.wrongInputType(expected: .float64, found: .int32)
        await #expect(throws: expected) { try await container.predict([[1 as Int32]]) }
        #expect(expected.description == "the model takes doubles, the batch holds integers")
        let strings = ModelContainer { (input: String) in input }
        await #expect(throws: ContainerError.wrongInputType(expected: .string, found: .bytes)) {
            try await strings.predict([[1 as UInt8]])
        }
    }

    @Test("A batch without inputs has no outputs")
    func emptyBatch() async throws {
        let container = ModelContainer { (batch: InputBatch<Double>) in batch.map(\.count) }
        #expect(try await container.predict([[Double]]()) == [])
    }

    @Test("A closure for whole batches is not called for one without inputs: it may count on a first one")
    func emptyBatchOfBatchClosure() async throws {
        let blocking = ModelContainer { (batch: InputBatch<Double>) in [batch[0].count] }
        let suspending = ModelContainer { (batch: InputBatch<Double>) async in [batch[0].count] }
        for container in [blocking, suspending] {
            #expect(try await container.predict([] as [[Double]]) == [])
            #expect(try await container.predict([[1, 2]]) == ["2"])
            await #expect(throws: ContainerError.self) { try await container.predict([] as [String]) }
        }
    }

    @Test("A closure for whole batches may say for each input whether it fails, and is run once")
    func results() async throws {
        let runs = Mutex(0)
        let blocking = ModelContainer { (batch: InputBatch<Double>) -> [Result<Double, any Error>] in
            runs.withLock { $0 += 1 }
            return batch.map { $0.isEmpty ? .failure(InvalidInput("empty")) : .success($0.reduce(0, +)) }
        }
        let suspending = ModelContainer { (batch: InputBatch<Double>) async -> [Result<Double, any Error>] in
            runs.withLock { $0 += 1 }
            return batch.map { $0.isEmpty ? .failure(InvalidInput("empty")) : .success($0.reduce(0, +)) }
        }
        for container in [blocking, suspending] {
            #expect(try await container.predict([[1, 2], [3]]) == ["3.0", "3.0"])
            await #expect(throws: PredictionFailure(input: 1, code: .invalidInput, reason: "empty")) {
                try await container.predict([[1], []])
            }
        }
        #expect(runs.withLock { $0 } == 4)
        let few = ModelContainer { (_: InputBatch<Double>) -> [Result<Double, any Error>] in [] }
        await #expect(throws: ContainerError.wrongOutputCount(expected: 1, found: 0)) { try await few.predict([[1]]) }
    }

    @Test("An input may be empty, also where all are")
    func emptyInputs() async throws {
        let doubles = ModelContainer { (batch: InputBatch<Double>) in batch.map(\.count) }
        let strings = ModelContainer { (input: String) in input.isEmpty }
        #expect(try await doubles.predict([[Double](), []]) == ["0", "0"])
        #expect(try await strings.predict([""]) == ["true"])
    }
}
