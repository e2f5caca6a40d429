import ContainerRPC
import TestSupport
import Testing

@testable import ModelContainer

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

    @Test("A service that is given no context has one of its own, and can be run again")
    func ownContext() async throws {
        let container = ModelContainer(name: "test", version: "1") { (input: [Double]) in input.first ?? -1 }
            .limited(largestBatch: 1)
        let frontend = try await PlayedFrontend.bound(in: context)
        let service = try container.service(endpoint: try await frontend.endpoint, logger: .silent)
        var previous: RoutingID?
        for _ in 0..<2 {
            let task = Task { try await service.run() }
            previous = try await frontend.acceptContainer(after: previous)
            task.cancel()
            try await task.value
        }
        try await frontend.close()
    }

    @Test("An endpoint that cannot be is an error that names it")
    func impossibleEndpoint() async throws {
        try await RunningContainer.run(echo, at: "carrier-pigeon://loft", in: context) { container in
            let error = await #expect(throws: TransportError.self) { try await container.waitForEnd() }
            #expect(error?.description == "connecting to carrier-pigeon://loft: Protocol not supported")
        }
    }
}
