import Testing

@Suite("Default outputs")
struct DefaultOutputTests {
    private static let noModels = "No connected models found for query"
    private static let tooLate = "Failed to retrieve a prediction response within the specified latency SLO"

    @Test("An application without a model, or whose model has no replica, answers with its default output at once")
    func noReplica() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("unlinked")
            try await frontend.addApplication("lonely", defaultOutput: #"{"class": "none"}"#, links: ["sum"])
            let unlinked = try await frontend.query.post("/unlinked/predict", #"{"input": [1]}"#)
            #expect(unlinked.status == 200)
            #expect(
                unlinked.text
                    == #"{"query_id":0,"output":-1.0,"default":true,"default_explanation":"\#(Self.noModels)"}"#)
            let lonely = try await frontend.predict(#"{"input_batch": [[1], [2]]}"#, application: "lonely")
            let predictions = try #require(lonely["batch_predictions"]?.elements)
            #expect(predictions.count == 2)
            for prediction in predictions {
                #expect(prediction["output"] == ["class": "none"])
                #expect(prediction["default"] == true)
                #expect(prediction["default_explanation"] == .string(Self.noModels))
            }
        }
    }

    @Test("Where the first linked model has no replica, the next one answers")
    func secondModel() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("absent")
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", links: ["absent", "sum"])
            try await frontend.startContainer()
            let answer = try await frontend.predict(#"{"input": [1, 2]}"#)
            #expect(answer == ["query_id": 0, "output": 3, "default": false])
        }
    }

    @Test("A default output that is not JSON is answered as a string")
    func textAsDefault() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app", defaultOutput: "don't know")
            #expect(try await frontend.predict(#"{"input": [1]}"#)["output"] == "don't know")
        }
    }

    @Test("A query that is not answered within the SLO gets the default output then, with the reason")
    func slo() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(2), links: ["sum"])
            let container = try await PlayedContainer.registered(at: frontend)
            let start = ContinuousClock.now
            let answer = try await frontend.predict(#"{"input": [1]}"#)
            #expect(start.duration(to: .now) >= .seconds(2))
            #expect(answer["output"] == -1)
            #expect(answer["default"] == true)
            #expect(answer["default_explanation"] == .string(Self.tooLate))
            // The container was asked, and what it says too late is of no use and does no harm.
            let request = try await container.receiveRequest()
            try await container.answer(request, ["1.0"])
            #expect(try await frontend.containers() == ["sum:1:0"])
        }
    }

    @Test("A request may ask for an answer earlier than the SLO")
    func timeout() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            let container = try await PlayedContainer.registered(at: frontend)
            let answer = try await frontend.predict(#"{"input": [1], "timeout_micros": 50000}"#)
            #expect(answer["default_explanation"] == .string(Self.tooLate))
            withExtendedLifetime(container) {}
        }
    }

    @Test("Queries for a version that has no replica get the default output, those for another do not")
    func versionWithoutReplica() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.addModel("sum", version: "2")
            #expect(try await frontend.predict(#"{"input": [1]}"#)["default"] == true)
            #expect(try await frontend.predict(#"{"input": [1], "version": "1"}"#)["output"] == 1)
        }
    }

    @Test("A container of RPC 3 whose input type is not its model's is listed and gets no queries")
    func otherInputType() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", inputType: "doubles")
            try await frontend.addApplication("app", links: ["sum"])
            try await frontend.startContainer(arguments: ["--input-type", "integers", "--rpc", "3"])
            let answer = try await frontend.predict(#"{"input": [1]}"#)
            #expect(answer["default_explanation"] == .string(Self.noModels))
        }
    }

    @Test("A container that connects before its model is registered serves as soon as that is linked")
    func earlyContainer() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            try await frontend.startContainer()
            #expect(try await frontend.containers() == ["sum:1:0"])
            #expect(try await frontend.predict(#"{"input": [1]}"#)["default"] == true)
            try await frontend.addModel("sum")
            try await frontend.admin("add_model_links", ["app_name": "app", "model_names": ["sum"]])
            try await frontend.expectSum()
        }
    }
}
