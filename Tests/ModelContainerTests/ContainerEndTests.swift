import ContainerRPC
import TestSupport
import Testing

@testable import ModelContainer

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

    /// A container's threads, without the service around them.
    private func serving(
        _ container: ModelContainer, as registration: Registration = .test, at frontend: PlayedFrontend
    ) async throws -> (ContainerLoop, Task<Void, any Error>) {
        let configuration = ContainerConfiguration(
            registration: registration, endpoint: try await frontend.endpoint, timing: .short)
        let loop = try ContainerLoop(configuration, model: container.model, context: context, logger: .silent)
        return (loop, Task { try await loop.serve() })
    }

    @Test("Told to stop a second time, it ends at once, though its model does not come back")
    func toldTwice() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        defer { model.goOn() }
        let (loop, task) = try await serving(model.container, at: frontend)
        let peer = try await frontend.acceptContainer()
        frontend.sendBatch(1, 4, to: peer)
        try await model.waitForBatch()
        loop.stop("the first signal")
        loop.stop("the second signal")
        try await task.value
        try await frontend.close()
    }

    @Test("So it does where the frontend has been told goodbye, and waits for the batch in hand")
    func toldTwiceInVersion4() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        defer { model.goOn() }
        var registration = Registration.test
        registration.rpcVersion = .four
        let (loop, task) = try await serving(model.container, as: registration, at: frontend)
        let peer = try await frontend.welcomeContainer()
        frontend.send(.request(.batch(1, [4])), in: .four, to: peer)
        try await model.waitForBatch()
        loop.stop("the first signal")
        #expect(try await frontend.receiveGoodbye() == Goodbye(.stopping, reason: "the first signal"))
        loop.stop("the second signal")
        try await task.value
        try await frontend.close()
    }

    @Test("Told to stop a second time, it cancels the task in which an asynchronous model runs")
    func cancelsTask() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = SuspendedModel()
        defer { model.goOn() }
        let (loop, task) = try await serving(model.container, at: frontend)
        let peer = try await frontend.acceptContainer()
        frontend.sendBatch(1, 4, to: peer)
        try await model.waitForBatch()
        loop.stop("the first signal")
        loop.stop("the second signal")
        try await task.value
        try await eventually("the model's task is cancelled") { model.wasCancelled }
        try await frontend.close()
    }

    @Test("Told once, it lets an asynchronous model finish, and answers")
    func finishesTask() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = SuspendedModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context, offering: .four) {
            container in
            defer { model.goOn() }
            let peer = try await frontend.welcomeContainer()
            frontend.send(.request(.batch(1, [4])), in: .four, to: peer)
            try await model.waitForBatch()
            await container.stop()
            _ = try await frontend.receiveGoodbye()
            model.goOn()
            #expect(try await frontend.receiveResponse().outputs.strings == ["4.0"])
            #expect(!model.wasCancelled)
            try await container.waitForEnd()
        }
        try await frontend.close()
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
