import ContainerRPC
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
                    Dispatcher.Configuration(endpoints: [test.endpoint]), context: test.context, logger: .silent)
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
            let third = try await container.receiveRequest()
            #expect(third.inputs.count == 1)
            container.answer(third)
            container.answer(second)
            let outcomes = try await test.outcomes(of: request, count: 5)
            #expect(outcomes == (1...5).map { .output("\($0).0") })
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

@Suite("The dispatch thread: containers")
struct DispatcherContainerTests {
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
            let containers = [try await test.replica(), try await test.replica()]
            let request = test.submit(1, 2, 3)
            let victim = try await eventually("a container has the batch") { containers.firstIndex(where: \.hasRequest) }
            try await containers[victim].vanish()
            let survivor = containers[1 - victim]
            let batch = try await survivor.receiveRequest()
            #expect(batch.inputs.elements == .float64([1, 2, 3]))
            survivor.answer(batch)
            #expect(try await test.outcomes(of: request, count: 3) == [.output("1.0"), .output("2.0"), .output("3.0")])
            #expect(await test.listed() == ["sum:1:\(1 - victim)"])
            let report = await test.dispatcher.report()
            #expect(report.metrics.replicasLost == ["disconnected": 1])
            #expect(report.metrics.models[.sum]?.retries == 3)
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
            let second = try await test.replica()
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
            let early = ModelVersion(name: "early", version: "1")
            let container = try await test.replica(
                of: Registration(modelName: "early", modelVersion: "1", inputType: .float64))
            let request = test.submit(1, model: early)
            #expect(try await test.outcomes(of: request) == [.defaultOutput(.noReplica)])
            await test.dispatcher.publish(Catalog.serving(makeModel("early")))
            let second = test.submit(2, model: early)
            container.answer(try await container.receiveRequest())
            #expect(try await test.outcomes(of: second) == [.output("2.0")])
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
