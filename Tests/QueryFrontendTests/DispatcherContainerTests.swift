import ContainerRPC
import TestSupport
import Testing

@testable import QueryFrontend

@Suite("The dispatch thread: containers")
struct DispatcherContainerTests {
    /// A container of a model that is not registered at the beginning.
    private let early = Registration(modelName: "early", modelVersion: "1", inputType: .float64)

    @Test("Containers are listed with numbers that count up")
    func lists() async throws {
        try await DispatcherUnderTest.run { test in
            _ = try await test.replica()
            _ = try await test.replica(to: test.inProcess)
            let other = Registration(modelName: "unknown", modelVersion: "1", inputType: .string)
            _ = try await test.replica(of: other)
            #expect(await test.listed() == ["sum:1:0", "sum:1:1", "unknown:1:0"])
        }
    }

    @Test("The queries of a container that is killed are answered by another")
    func sendsElsewhere() async throws {
        try await DispatcherUnderTest.run { test in
            let victim = try await test.replica()
            let request = test.submit(1, 2, 3)
            try await eventually("the container has the batch") { victim.hasRequest }
            let survivor = try await test.replica()
            try await victim.vanish()
            let batch = try await survivor.receiveRequest()
            #expect(batch.inputs.elements == .float64([1, 2, 3]))
            survivor.answer(batch)
            #expect(try await test.outcomes(of: request, count: 3) == [.output("1.0"), .output("2.0"), .output("3.0")])
            #expect(await test.listed() == ["sum:1:1"])
            let report = await test.dispatcher.report()
            #expect(report.metrics.replicasLost == ["disconnected": 1])
            #expect(report.counters[.sum]?.retries == 3)
        }
    }

    @Test("A query whose second container is killed too gets the default")
    func lostTwice() async throws {
        try await DispatcherUnderTest.run { test in
            let first = try await test.replica()
            let request = test.submit(1)
            _ = try await first.receiveRequest()
            try await first.vanish()
            // It waits for a container that comes within its time.
            let second = try test.container()
            second.send(.newContainer(.sum))
            _ = try await second.receiveRequest()
            try await second.vanish()
            #expect(try await test.outcomes(of: request) == [.defaultOutput(.lostTwice)])
        }
    }

    @Test("A container within the process that is gone is noticed when it is sent to, and the query goes elsewhere")
    func losesInProcess() async throws {
        try await DispatcherUnderTest.run { test in
            let gone = try await test.replica(to: test.inProcess)
            try await gone.vanish()
            let alive = try await test.replica()
            let requests = [test.submit(1), test.submit(2)]
            try await alive.serve { requests.allSatisfy { test.outcomeCount(of: $0) == 1 } }
            #expect(try await test.outcomes(of: requests[0]) == [.output("1.0")])
            #expect(try await test.outcomes(of: requests[1]) == [.output("2.0")])
        }
    }

    @Test("A wrong number of outputs ends the replica: its queries go elsewhere, its container registers anew")
    func wrongCount() async throws {
        try await DispatcherUnderTest.run { test in
            let faulty = try await test.replica()
            let request = test.submit(1, 2)
            faulty.answer(try await faulty.receiveRequest(), ["only one"])
            #expect(try await faulty.receive() == .heartbeat(.requestMetadata))
            #expect(await test.listed().isEmpty)
            faulty.send(.newContainer(.sum))
            faulty.answer(try await faulty.receiveRequest())
            #expect(try await test.outcomes(of: request, count: 2) == [.output("1.0"), .output("2.0")])
            #expect(await test.listed() == ["sum:1:1"])
            #expect(await test.dispatcher.report().metrics.badMessages == ["wrong-output-count": 1])
        }
    }

    @Test("A message that cannot be decoded costs its sender the session, and nobody else anything")
    func malformed() async throws {
        try await DispatcherUnderTest.run { test in
            let good = try await test.replica()
            let bad = try await test.replica()
            bad.sendGarbage()
            bad.send(.heartbeat)
            #expect(try await bad.receive() == .heartbeat(.requestMetadata))
            #expect(await test.listed() == ["sum:1:0"])
            let request = test.submit(1)
            good.answer(try await good.receiveRequest())
            #expect(try await test.outcomes(of: request) == [.output("1.0")])
            #expect(await test.dispatcher.report().metrics.badMessages == ["frame-length": 1])
        }
    }

    @Test("A container cannot answer another's batch, nor one that there is none of")
    func forgedAnswer() async throws {
        try await DispatcherUnderTest.run { test in
            let honest = try await test.replica()
            let request = test.submit(1)
            let batch = try await honest.receiveRequest()
            let forger = try await test.replica()
            forger.answer(batch, ["forged"])
            forger.send(.response(batch.id &+ 1, ["forged"]))
            // Messages of one container are read in order.
            forger.send(.heartbeat)
            #expect(try await forger.receive() == .heartbeat(.keepAlive))
            #expect(test.outcomeCount(of: request) == 0)
            honest.answer(batch)
            #expect(try await test.outcomes(of: request) == [.output("1.0")])
            #expect(await test.dispatcher.report().metrics.badMessages == ["unknown-id": 2])
        }
    }

    @Test("A container that came before its model was registered serves it then")
    func containerBeforeModel() async throws {
        try await DispatcherUnderTest.run { test in
            let container = try await test.replica(of: early)
            let request = test.submit(1, model: early.model)
            #expect(try await test.outcomes(of: request) == [.defaultOutput(.noReplica)])
            await test.dispatcher.publish(Catalog.serving(makeModel("early")))
            let second = test.submit(2, model: early.model)
            container.answer(try await container.receiveRequest())
            #expect(try await test.outcomes(of: second) == [.output("2.0")])
        }
    }

    @Test("A container whose model nobody has registered is listed, and its name has no number yet")
    func unregisteredModel() async throws {
        try await DispatcherUnderTest.run { test in
            let container = try await test.replica(of: early)
            #expect(await test.dispatcher.replicas().map(\.state) == ["unsuitable"])
            #expect(test.dispatcher.handles.knownHandle(for: early.model) == nil)
            try await container.vanish()
            try await eventually("the container is listed no more") { await test.listed().isEmpty }
            #expect(test.dispatcher.handles.knownHandle(for: early.model) == nil)
        }
    }

    @Test("A container that drains before its model is registered gets nothing then, until it is taken back")
    func drainsBeforeModel() async throws {
        try await DispatcherUnderTest.run { test in
            let container = try await test.replica(of: early)
            _ = await test.dispatcher.drainReplicas(of: early.model, replica: nil, .begin)
            await test.dispatcher.publish(Catalog.serving(makeModel("early")))
            #expect(await test.dispatcher.replicas().map(\.state) == ["draining"])
            _ = await test.dispatcher.drainReplicas(of: early.model, replica: nil, .end)
            let request = test.submit(2, model: early.model)
            container.answer(try await container.receiveRequest())
            #expect(try await test.outcomes(of: request) == [.output("2.0")])
        }
    }

    @Test("A container with another input type than its model is listed and gets no queries")
    func otherInputType() async throws {
        try await DispatcherUnderTest.run { test in
            _ = try await test.replica(of: Registration(modelName: "sum", modelVersion: "1", inputType: .int32))
            let request = test.submit(1)
            #expect(try await test.outcomes(of: request) == [.defaultOutput(.noReplica)])
            #expect(await test.dispatcher.replicas().map(\.inputType) == ["integers"])
        }
    }

    @Test("A model that is deleted takes its containers off the list; registered again, it is served again")
    func deletesModel() async throws {
        try await DispatcherUnderTest.run(batchSize: .fixed(1), slotsPerReplica: 1) { test in
            let container = try await test.replica()
            let request = test.submit(1, 2)
            let batch = try await container.receiveRequest()
            await test.dispatcher.publish(Catalog())
            #expect(await test.listed().isEmpty)
            #expect(
                try await test.outcomes(of: request, count: 2)
                    == [.defaultOutput(.modelDeleted), .defaultOutput(.modelDeleted)])
            container.answer(batch)
            await test.dispatcher.publish(Catalog.serving(makeModel("sum")))
            #expect(await test.listed() == ["sum:1:1"])
            let again = test.submit(3)
            container.answer(try await container.receiveRequest())
            #expect(try await test.outcomes(of: again) == [.output("3.0")])
        }
    }

    @Test("It counts what each replica has done")
    func counts() async throws {
        try await DispatcherUnderTest.run { test in
            let container = try await test.replica()
            let requests = [test.submit(1, 2), test.submit(3)]
            try await container.serve {
                test.outcomeCount(of: requests[0]) == 2 && test.outcomeCount(of: requests[1]) == 1
            }
            let status = await test.dispatcher.status()
            #expect(status.replicas.first?.completedQueries == 3)
            #expect(status.replicas.first?.batchesInFlight == 0)
            #expect(status.models.first?.name == "sum")
            #expect(status.models.first?.replicas == 1)
            #expect(status.models.first.map { $0.largestBatch >= 2 } == true)
        }
    }
}
