import TestSupport
import Testing

@Suite("RPC 4, with real processes")
struct RPC4Tests {
    @Test("Of a batch whose model throws at one input, that one gets the error and the others their answers")
    func oneBadInput() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            let container = try await frontend.startContainer(
                "faulty-container", arguments: ["--on-negative", "throw"])
            let inputs = (0..<100).map { $0 == 41 ? "[-1]" : "[\($0)]" }.joined(separator: ",")
            let answers = try #require(
                try await frontend.predict(#"{"input_batch": [\#(inputs)]}"#)["batch_predictions"]?.elements)
            #expect(answers.count == 100)
            for (number, answer) in answers.enumerated() {
                #expect(answer["default"] == .boolean(number == 41))
                #expect(answer["output"] == .number(number == 41 ? -1 : Double(number)))
            }
            #expect(answers[41]["default_explanation"] == .string("The model failed: NegativeNumber()"))
            // The container goes on, and has not registered again.
            #expect(try await frontend.containers() == ["sum:1:0"])
            #expect(container.isRunning)
        }
    }

    @Test("Another number of outputs than inputs fails the batch, and the container goes on")
    func wrongCount() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            try await frontend.startContainer("faulty-container", arguments: ["--on-negative", "too-few-outputs"])
            let answer = try await frontend.predict(#"{"input": [-1]}"#)
            #expect(answer["default"] == true)
            #expect(
                answer["default_explanation"]
                    == .string("The model failed: the model returned 0 outputs for 1 input"))
            try await frontend.expectSum()
            #expect(try await frontend.containers() == ["sum:1:0"])
        }
    }

    @Test("Containers of both versions serve one model side by side")
    func mixedFleet() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", batchSize: 1)
            try await frontend.addApplication("app", links: ["sum"])
            let old = try await frontend.startContainer("faulty-container", arguments: ["--rpc", "3"])
            let new = try await frontend.startContainer("faulty-container")
            try await eventually("both are listed") { try await frontend.containers().count == 2 }
            try await eventually("both have answered") {
                try await frontend.expectSum()
                return !old.standardOutput.isEmpty && !new.standardOutput.isEmpty
            }
        }
    }

    @Test("A container that takes no more than so many inputs in a batch never gets more")
    func capacity() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            let container = try await frontend.startContainer("faulty-container", arguments: ["--largest-batch", "7"])
            let inputs = (0..<50).map { "[\($0)]" }.joined(separator: ",")
            for _ in 0..<5 {
                let answers = try #require(
                    try await frontend.predict(#"{"input_batch": [\#(inputs)]}"#)["batch_predictions"]?.elements)
                #expect(answers.allSatisfy { $0["default"] == false })
            }
            let sizes = container.standardOutput.split(separator: "\n").compactMap { Int($0.dropFirst(6)) }
            #expect(sizes.max() == 7)
        }
    }

    @Test("A container with other inputs than its model's is told so, and says it")
    func wrongInputType() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", inputType: "strings")
            let container = try frontend.launchContainer("faulty-container")
            try await eventually("the container is refused") {
                container.standardError.contains(
                    "the model sum:1 is registered with inputs of type strings, and this container takes doubles")
            }
            #expect(try await frontend.containers().isEmpty)
        }
    }

    @Test("Of two replicas under load one can be told to end without a single default")
    func drainsAtTermination() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(60), links: ["sum"])
            let arguments = ["--milliseconds", "3"]
            try await frontend.startContainer("faulty-container", arguments: arguments)
            let leaving = try await frontend.startContainer("faulty-container", arguments: arguments)
            try await withThrowingTaskGroup { group in
                for client in 0..<8 {
                    group.addTask {
                        for number in 0..<60 {
                            let answer = try await frontend.predict("{\"input\": [\(client), \(number), 0.5]}")
                            #expect(answer["default"] == false)
                            #expect(answer["output"] == .number(Double(client + number) + 0.5))
                        }
                    }
                }
                group.addTask {
                    try await eventually("the container has work") { !leaving.standardOutput.isEmpty }
                    leaving.signal(15)
                    #expect(try await leaving.exitStatus() == 0)
                }
                try await group.waitForAll()
            }
            #expect(try await frontend.query.get("/metrics").text.contains("disconnected") == false)
        }
    }
}
