import ContainerRPC
import Synchronization
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

@Suite("A container and the coming and going of frontends")
struct ContainerReconnectionTests {
    private let context: Context
    private let echo = ModelContainer { (input: [Double]) in input.first ?? -1 }

    init() throws {
        context = try Context()
    }

    /// An endpoint where nobody is, yet.
    private func freeEndpoint() async throws -> String {
        let frontend = try await PlayedFrontend.bound(in: context)
        let endpoint = try await frontend.endpoint
        try await frontend.close()
        return endpoint
    }

    @Test("It waits for a frontend that comes up later")
    func comesUpLater() async throws {
        let endpoint = try await freeEndpoint()
        try await RunningContainer.run(echo, at: endpoint, in: context) { _ in
            let frontend = try await PlayedFrontend.bound(to: endpoint, in: context)
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(1, 4, to: peer)
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 1, outputs: ["4.0"]))
            try await frontend.close()
        }
    }

    @Test("When the frontend is gone, it registers with the next one")
    func reconnects() async throws {
        let first = try await PlayedFrontend.bound(in: context)
        let endpoint = try await first.endpoint
        try await RunningContainer.run(echo, at: endpoint, in: context) { _ in
            _ = try await first.acceptContainer()
            try await first.close()
            let second = try await PlayedFrontend.bound(to: endpoint, in: context)
            let peer = try await second.acceptContainer()
            second.sendBatch(1, 4, to: peer)
            #expect(try await second.receiveResponse() == PredictResponse(id: 1, outputs: ["4.0"]))
            try await second.close()
        }
    }

    @Test("What it was asked by a frontend that is gone is not answered to the next one")
    func keepsAnswersApart() async throws {
        let model = HeldModel()
        let first = try await PlayedFrontend.bound(in: context)
        let endpoint = try await first.endpoint
        try await RunningContainer.run(model.container, at: endpoint, in: context) { _ in
            defer { model.goOn() }
            let old = try await first.acceptContainer()
            first.sendBatch(1, 4, to: old)
            try await model.waitForBatch()
            try await first.close()
            let second = try await PlayedFrontend.bound(to: endpoint, in: context)
            let peer = try await second.acceptContainer()
            second.sendBatch(1, 5, to: peer)
            model.goOn()
            #expect(try await second.receiveResponse() == PredictResponse(id: 1, outputs: ["5.0"]))
            try await second.close()
        }
    }

    @Test("An endpoint that cannot be is an error that names it")
    func impossibleEndpoint() async throws {
        try await RunningContainer.run(echo, at: "carrier-pigeon://loft", in: context) { container in
            let error = await #expect(throws: TransportError.self) { try await container.waitForEnd() }
            #expect(error?.description == "connecting to carrier-pigeon://loft: Protocol not supported")
        }
    }
}

@Suite("The end of a container")
struct ContainerEndTests {
    private let context: Context
    private let echo = ModelContainer { (input: [Double]) in input.first ?? -1 }

    init() throws {
        context = try Context()
    }

    @Test("Without a batch in hand it ends at once")
    func idle() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context) { container in
            _ = try await frontend.acceptContainer()
            await container.stop()
            try await container.waitForEnd()
        }
        try await frontend.close()
    }

    @Test("Without a frontend it ends at once")
    func unconnected() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let endpoint = try await frontend.endpoint
        try await frontend.close()
        try await RunningContainer.run(echo, at: endpoint, in: context) { container in
            await container.stop()
            try await container.waitForEnd()
        }
    }

    @Test(
        "It answers the batch in hand first, and those that it has read besides",
        arguments: ["tcp://127.0.0.1:0", "inproc://frontend"])
    func answersFirst(endpoint: String) async throws {
        let frontend = try await PlayedFrontend.bound(to: endpoint, in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { container in
            defer { model.goOn() }
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(1, 4, to: peer)
            try await model.waitForBatch()
            await container.stop()
            #expect(!container.hasEnded)
            model.goOn()
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 1, outputs: ["4.0"]))
            try await container.waitForEnd()
        }
        try await frontend.close()
    }

    @Test("Whenever it is told to end, every batch that the model has begun is answered")
    func answersAllBegun() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        var previous: RoutingID?
        for round in 1...10 {
            let model = HeldModel()
            model.goOn()
            try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { container in
                let peer = try await frontend.acceptContainer(after: previous)
                previous = peer
                for id in 1...10 { frontend.sendBatch(UInt32(id), Double(id), to: peer) }
                try await eventually("some batches are begun") { model.begunBatches.count >= round }
                await container.stop()
                try await container.waitForEnd()
                var answered: [[Double]] = []
                for _ in model.begunBatches { answered.append([Double(try await frontend.receiveResponse().id)]) }
                #expect(answered == model.begunBatches)
            }
        }
        try await frontend.close()
    }

    @Test("A batch in hand whose closure throws keeps it no longer")
    func throwsAtTheEnd() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { container in
            defer { model.goOn() }
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(1, 13, to: peer)
            try await model.waitForBatch()
            await container.stop()
            model.goOn()
            try await container.waitForEnd()
        }
        try await frontend.close()
    }

    @Test("A frontend that is gone has nobody to be answered: it ends although its model is busy")
    func frontendGone() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context) { container in
            defer { model.goOn() }
            let peer = try await frontend.acceptContainer()
            frontend.sendBatch(1, 4, to: peer)
            try await model.waitForBatch()
            await container.stop()
            try await frontend.close()
            try await container.waitForEnd()
        }
    }

    @Test("A service whose task is cancelled ends, too")
    func cancelled() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let service = ContainerService(
            echo, configuration: ContainerConfiguration(registration: .test, endpoint: try await frontend.endpoint),
            context: context, logger: .silent)
        let task = Task { try await service.run() }
        _ = try await frontend.acceptContainer()
        task.cancel()
        try await task.value
        try await frontend.close()
    }
}
