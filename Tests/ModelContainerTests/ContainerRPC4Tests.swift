import ContainerRPC
import ModelContainer
import Testing

@Suite("A container that speaks RPC 4")
struct ContainerRPC4Tests {
    private let context: Context
    private let echo = ModelContainer { (input: [Double]) in input.first ?? -1 }

    init() throws {
        context = try Context()
    }

    @Test("A batch whose time is spent when its turn comes is refused as too late, and not computed")
    func tooLate() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let model = HeldModel()
        try await RunningContainer.run(model.container, at: frontend.endpoint, in: context, offering: .four) { _ in
            defer { model.goOn() }
            let peer = try await frontend.welcomeContainer()
            frontend.send(.request(.batch(1, [4])), in: .four, to: peer)
            frontend.send(.request(.batch(2, [5], budget: .zero)), in: .four, to: peer)
            try await model.waitForBatch()
            model.goOn()
            let failure = try await frontend.receiveFailure()
            #expect(failure.id == 2)
            #expect(failure.code == .tooLate)
            #expect(model.begunBatches == [[4]])
        }
        try await frontend.close()
    }

    @Test("A model that cannot answer now says so of the batch, and is not run again on parts of it")
    func unavailable() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        let runs = Locked(0)
        let container = ModelContainer { (_: InputBatch<Double>) throws -> [Double] in
            runs.withLock { $0 += 1 }
            throw Unavailable("the accelerator is gone")
        }
        try await RunningContainer.run(container, at: frontend.endpoint, in: context, offering: .four) { _ in
            let peer = try await frontend.welcomeContainer()
            frontend.send(.request(.batch(1, [1, 2, 3])), in: .four, to: peer)
            let expected = BatchFailure(id: 1, code: .unavailable, reason: "the accelerator is gone")
            #expect(try await frontend.receiveFailure() == expected)
            let count = runs.withLock { $0 }
            #expect(count == 1)
        }
        try await frontend.close()
    }

    @Test("A batch that comes in RPC 3 is answered in RPC 3")
    func answersInVersion3() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context, offering: .four) { _ in
            let peer = try await frontend.welcomeContainer()
            frontend.sendBatch(1, 4, to: peer)
            // In RPC 4 the output would be a number, and come with the time that it took.
            #expect(try await frontend.receiveResponse() == PredictResponse(id: 1, outputs: ["4.0"]))
        }
        try await frontend.close()
    }

    @Test("Told to stop, it tells its frontend why")
    func saysWhy() async throws {
        let frontend = try await PlayedFrontend.bound(in: context)
        try await RunningContainer.run(echo, at: frontend.endpoint, in: context, offering: .four) { container in
            _ = try await frontend.welcomeContainer()
            await container.stop()
            #expect(try await frontend.receiveGoodbye() == Goodbye(.stopping, reason: "its program shuts down"))
            try await container.waitForEnd()
        }
        try await frontend.close()
    }
}
