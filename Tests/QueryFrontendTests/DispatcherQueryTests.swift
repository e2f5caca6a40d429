import ContainerRPC
import TestSupport
import Testing

@testable import QueryFrontend

@Suite("The dispatch thread: queries")
struct DispatcherQueryTests {
    @Test("It tells the ports that it was given")
    func tellsPort() async throws {
        try await DispatcherUnderTest.run { test in
            #expect(test.endpoint.wholeMatch(of: /tcp:\/\/127\.0\.0\.1:[1-9][0-9]*/) != nil)
        }
    }

    @Test("A port that is taken is an error that names the endpoint")
    func portTaken() async throws {
        try await DispatcherUnderTest.run { test in
            let second = try Dispatcher()
            let error = await #expect(throws: TransportError.self) {
                _ = try await second.start(
                    Dispatcher.Configuration(endpoints: [test.endpoint]),
                    store: SQLiteSelectionStore(try SQLiteCatalogStore(path: ":memory:")), policies: .standard,
                    context: test.context, logger: .silent)
            }
            #expect(error?.description == "binding \(test.endpoint): Address already in use")
        }
    }

    @Test("A query goes to the container, and its answer comes back", arguments: [false, true])
    func answers(inProcess: Bool) async throws {
        try await DispatcherUnderTest.run { test in
            let container = try await test.replica(to: inProcess ? test.inProcess : test.endpoint)
            let request = test.submit(1.5)
            let batch = try await container.receiveRequest()
            #expect(batch.kind == .predict)
            #expect(batch.inputs == InputValues(elements: .float64([1.5]), rowEnds: [1]))
            container.answer(batch, ["forty-two"])
            #expect(try await test.outcomes(of: request) == [.output("forty-two")])
        }
    }

    @Test("The inputs of a request travel in one batch, and their outcomes keep their places")
    func batches() async throws {
        try await DispatcherUnderTest.run { test in
            let container = try await test.replica()
            let request = test.submit(1, 2, 3)
            let batch = try await container.receiveRequest()
            #expect(batch.inputs.count == 3)
            container.answer(batch)
            #expect(try await test.outcomes(of: request, count: 3) == [.output("1.0"), .output("2.0"), .output("3.0")])
        }
    }

    @Test("A model's batch size limits its batches, and two of them are on their way at a time")
    func limitsBatches() async throws {
        try await DispatcherUnderTest.run(batchSize: .fixed(2)) { test in
            let container = try await test.replica()
            let request = test.submit(1, 2, 3, 4, 5)
            let first = try await container.receiveRequest()
            let second = try await container.receiveRequest()
            #expect([first, second].map(\.inputs.count) == [2, 2])
            #expect(await test.dispatcher.replicas().first?.queriesInFlight == 4)
            #expect(await test.dispatcher.report().queued[.sum] == 1)
            container.answer(first)
            container.answer(second)
            let third = try await container.receiveRequest()
            #expect(third.inputs.count == 1)
            container.answer(third)
            let outcomes = try await test.outcomes(of: request, count: 5)
            #expect(outcomes == (1...5).map { .output("\($0).0") })
        }
    }

    @Test("Inputs that were read for a model which takes others by now are not sent to it")
    func otherType() async throws {
        try await DispatcherUnderTest.run { test in
            _ = try await test.replica()
            let outcomes = try await test.outcomes(of: test.submit(1, 2, as: .int32), count: 2)
            #expect(outcomes == [.defaultOutput(.modelDeleted), .defaultOutput(.modelDeleted)])
        }
    }

    @Test("A query of a model without a container gets the default at once")
    func noReplica() async throws {
        try await DispatcherUnderTest.run { test in
            let outcomes = try await test.outcomes(of: test.submit(1))
            #expect(outcomes == [.defaultOutput(.noReplica)])
        }
    }

    @Test("A query of an application that is linked to no model gets the default at once")
    func noModel() async throws {
        try await DispatcherUnderTest.run { test in
            let outcomes = try await test.outcomes(of: test.submit(1, 2, model: nil), count: 2)
            #expect(outcomes == [.defaultOutput(.noReplica), .defaultOutput(.noReplica)])
        }
    }

    @Test("A query whose container is busy gets the default when its deadline comes")
    func deadline() async throws {
        try await DispatcherUnderTest.run { test in
            let container = try await test.replica()
            let hurried = test.submit(1, within: .milliseconds(20))
            let patient = test.submit(2)
            #expect(try await test.outcomes(of: hurried) == [.defaultOutput(.deadline)])
            // An answer that comes later is for nobody; whoever still waits gets his.
            try await container.serve { test.outcomeCount(of: patient) == 1 }
            #expect(try await test.outcomes(of: patient) == [.output("2.0")])
            #expect(test.outcomeCount(of: hurried) == 1)
        }
    }

    @Test("When it stops, what waits and what is in flight gets the default")
    func stops() async throws {
        try await DispatcherUnderTest.run(batchSize: .fixed(1), slotsPerReplica: 1) { test in
            let container = try await test.replica()
            let request = test.submit(1, 2)
            _ = try await container.receiveRequest()
            await test.dispatcher.stop()
            #expect(
                try await test.outcomes(of: request, count: 2)
                    == [.defaultOutput(.stopping), .defaultOutput(.stopping)])
        }
    }

    @Test("Nobody waits for a dispatch thread that has ended")
    func answersAfterEnd() async throws {
        try await DispatcherUnderTest.run { test in
            await test.dispatcher.stop()
            await test.dispatcher.stop()
            await test.dispatcher.publish(Catalog())
            #expect(await test.dispatcher.report().replicas.isEmpty)
            test.submit(1)
        }
    }
}
