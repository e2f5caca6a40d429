import TestSupport
import Testing

@Suite("Models that fail")
struct FaultyModelTests {
    private static let bad = #"{"input": [-1]}"#
    /// RPC 3 has no message for a failure.
    private static let rpc3 = ["--rpc", "3"]
    private static let explanation = "The replicas that the query was sent to failed or were lost, twice"

    @Test(
        "In RPC 3 a batch that the model fails is tried once more, then gets the default output; nobody ends of it",
        arguments: [("throw", "NegativeNumber"), ("too-few-outputs", "the model returned 0 outputs for 1 input")])
    func failedTwice(fault: String, reason: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            let container = try await frontend.startContainer(
                "faulty-container", arguments: ["--on-negative", fault] + Self.rpc3)
            try await frontend.expectSum()
            let answer = try await frontend.predict(Self.bad)
            #expect(answer["output"] == -1)
            #expect(answer["default"] == true)
            #expect(answer["default_explanation"] == .string(Self.explanation))
            #expect(container.standardOutput.split(separator: "\n").count == 3)
            let log = container.standardError.split(separator: "\n").filter { $0.contains("batch failed:") }
            #expect(log.count == 2)
            #expect(log.allSatisfy { $0.contains(reason) && $0.contains("inputs=1") })
            try await eventually("the container has registered again") { try await !frontend.containers().isEmpty }
            try await frontend.expectSum()
            #expect(container.isRunning)
        }
    }

    @Test("In RPC 3, what one replica's model fails, another replica answers")
    func otherReplica() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let faulty = try await frontend.startContainer(
                "faulty-container", arguments: ["--on-negative", "throw"] + Self.rpc3)
            var answered = 0
            for number in 1...10 {
                let answer = try await frontend.predict("{\"input\": [-\(number), 1]}")
                // The one that failed may have registered again before its loss is seen, and get the query once more.
                guard answer["default"] == false else { continue }
                #expect(answer["output"] == .number(Double(1 - number)))
                answered += 1
            }
            #expect(answered >= 5)
            #expect(faulty.isRunning)
        }
    }

    @Test("While one replica fails over and over, queries to the healthy one are answered")
    func healthyReplica() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.addModel("bad")
            try await frontend.addApplication("bad", links: ["bad"])
            let faulty = try await frontend.startContainer(
                "faulty-container", model: "bad", arguments: ["--on-negative", "throw"])
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for _ in 0..<5 {
                        let answer = try await frontend.predict(Self.bad, application: "bad")
                        #expect(answer["default"] == true)
                    }
                }
                group.addTask {
                    for _ in 0..<50 { try await frontend.expectSum() }
                }
                try await group.waitForAll()
            }
            #expect(faulty.isRunning)
        }
    }
}
