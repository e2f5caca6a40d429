import ContainerRPC
import Testing

@testable import ModelContainer

@Suite("A container at work")
struct ContainerServiceTests {
    private let context: Context
    /// Answers each input with its first number; the number 13 makes it throw.
    private let echo = ModelContainer { (input: [Double]) throws -> Double in
        guard input != [13] else { throw HeldModel.Unlucky() }
        return input.first ?? -1
    }

    init() throws {
        context = try Context()
    }

    @Test("It beats, registers when it is asked, and beats on", arguments: ["tcp://127.0.0.1:0", "inproc://frontend"])
    func registers(endpoint: String) async throws {
        let frontend = try await PlayedFrontend.bound(to: endpoint, in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context) { _ in
            let peer = try await frontend.acceptContainer()
            for _ in 0..<3 {
                _ = try await frontend.receive("another heartbeat") { $0 == .init(peer: peer, message: .heartbeat) }
                frontend.send(.keepAlive, to: peer)
            }
        }
        try await frontend.close()
    }

    @Test("It answers batches in the order in which they come", arguments: ["tcp://127.0.0.1:0", "inproc://frontend"])
    func answers(endpoint: String) async throws {
        let frontend = try await PlayedFrontend.bound(to: endpoint, in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context) { _ in
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(7, 1, 2, to: peer)
            frontend.sendBatch(5, 3, to: peer)
            frontend.sendBatch(6, 4, to: peer)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 7, outputs: ["1.0", "2.0"]))
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 5, outputs: ["3.0"]))
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 6, outputs: ["4.0"]))
        }
        try await frontend.close()
    }

    @Test("A model that is asynchronous is served the same way")
    func asynchronous() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let container = ModelContainer { (batch: [String]) async in
            await Task.yield()
            return batch.map { $0.uppercased() }
        }
        try await RunningContainer.run(container, at: frontend.endpoint, in: context) { _ in
            let peer = try await frontend.acceptContainer(
                Registration(modelName: "test", modelVersion: "1", inputType: .string))
            let inputs = InputValues(elements: .string(Array("abcgrün".utf8)), rowEnds: [1, 3, 8])
            frontend.sendBatch(1, inputs, to: peer)
            frontend.sendBatch(2, inputs, to: peer)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 1, outputs: ["A", "BC", "GRÜN"]))
            #expect(try await frontend.receiveResponse().id == 2)
        }
        try await frontend.close()
    }

    @Test("It beats while its model is busy")
    func beatsWhileBusy() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { _ in
            defer { model.goOn() }
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(1, 5, to: peer)
            try await model.waitForBatch()
            for _ in 0..<5 { _ = try await frontend.receive("a heartbeat") { $0.message == .heartbeat } }
            model.goOn()
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 1, outputs: ["5.0"]))
        }
        try await frontend.close()
    }

    @Test("It reads while its model is busy; a frontend that knows it no more gets its metadata, and no old answer")
    func readsWhileBusy() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { _ in
            defer { model.goOn() }
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(1, 5, to: peer)
            try await model.waitForBatch()
            frontend.send(.requestMetadata, to: peer)
            _ = try await frontend.receive("its metadata") { $0.message == .newContainer(.test) }
            // This frontend has given up the batch in hand, and may use its number again.
            frontend.sendBatch(1, 6, to: peer)
            model.goOn()
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 1, outputs: ["6.0"]))
        }
        try await frontend.close()
    }

    @Test("A batch that waits for the model is not begun any more once the frontend has asked for the metadata anew")
    func givenUpWhileWaiting() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { _ in
            defer { model.goOn() }
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(1, 5, to: peer)
            try await model.waitForBatch()
            frontend.sendBatch(2, 7, to: peer)
            frontend.send(.requestMetadata, to: peer)
            _ = try await frontend.receive("its metadata") { $0.message == .newContainer(.test) }
            frontend.sendBatch(3, 6, to: peer)
            model.goOn()
            model.goOn()
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 3, outputs: ["6.0"]))
            #expect(model.begunBatches == [[5], [6]])
        }
        try await frontend.close()
    }

    @Test("A batch whose closure throws ends the session; the next one begins at once, and is served")
    func throwing() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context) { _ in
            let first = try await frontend.acceptContainer()
            frontend.sendBatch(1, 13, to: first)
            let second = try await frontend.acceptContainer(after: first)
            frontend.sendBatch(2, 4, to: second)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 2, outputs: ["4.0"]))
        }
        try await frontend.close()
    }

    @Test("So does a batch with the wrong number of outputs, or with inputs of another type", arguments: [false, true])
    func unfitBatch(isOtherType: Bool) async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let container = ModelContainer { (batch: InputBatch<Double>) in Array(repeating: 1, count: 2) }
        try await RunningContainer.run(container, at: frontend.endpoint, in: context) { _ in
            let first = try await frontend.acceptContainer()
            let unfit = InputValues(elements: isOtherType ? .int32([1, 2]) : .float64([1, 2]), rowEnds: [2])
            frontend.sendBatch(1, unfit, to: first)
            let second = try await frontend.acceptContainer(after: first)
            frontend.sendBatch(2, 1, 2, to: second)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 2, outputs: ["1", "1"]))
        }
        try await frontend.close()
    }

    @Test("A frontend in the same process sees no connection end: it gets an answer that it cannot take")
    func throwingInProcess() async throws {
        let frontend = try await PlayedFrontend.bound(to: "inproc://frontend", in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context) { _ in
            let first = try await frontend.acceptContainer()
            frontend.sendBatch(1, 13, to: first)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 1, outputs: []))
            let second = try await frontend.acceptContainer(after: first)
            frontend.sendBatch(2, 4, to: second)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 2, outputs: ["4.0"]))
        }
        try await frontend.close()
    }

    @Test("Batches that were read in a session that is over are not begun")
    func dropsOldBatches() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { _ in
            defer { model.goOn() }
            let first = try await frontend.acceptContainer()
            frontend.sendBatch(1, 13, to: first)
            frontend.sendBatch(2, 20, to: first)
            try await model.waitForBatch()
            model.goOn()
            let second = try await frontend.acceptContainer(after: first)
            frontend.sendBatch(3, 30, to: second)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 3, outputs: ["30.0"]))
            #expect(model.begunBatches == [[13], [30]])
        }
        try await frontend.close()
    }

    @Test("A message that cannot be decoded ends the session; the next one begins")
    func malformed() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context) { _ in
            let first = try await frontend.acceptContainer()
            frontend.sendMalformed(to: first)
            let second = try await frontend.acceptContainer(after: first)
            frontend.sendBatch(1, 4, to: second)
            #expect(try await frontend.receiveResponse().outputs == ["4.0"])
        }
        try await frontend.close()
    }

    @Test("So does one of RPC 4, which it has not offered")
    func version4NotOffered() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context) { _ in
            let first = try await frontend.acceptContainer()
            frontend.send(.heartbeat(.keepAlive), in: .four, to: first)
            let second = try await frontend.acceptContainer(after: first)
            frontend.sendBatch(1, 4, to: second)
            #expect(try await frontend.receiveResponse().outputs == ["4.0"])
        }
        try await frontend.close()
    }

    @Test("A frontend that is silent is given up, and tried again")
    func silence() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        var timing = SessionTiming.short
        timing.silenceLimit = .milliseconds(60)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context, timing: timing) { _ in
            let first = try await frontend.receive("a heartbeat") { $0.message == .heartbeat }
            _ = try await frontend.receive("a heartbeat of its next session") { $0.peer != first.peer }
        }
        try await frontend.close()
    }
}
