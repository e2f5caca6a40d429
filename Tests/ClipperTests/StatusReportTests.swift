import QueryFrontend
import Testing

@testable import clipper

@Suite("The status report")
struct StatusReportTests {
    private func status(
        applications: [ApplicationStatus] = [], models: [ModelStatus] = [], replicas: [ReplicaStatus] = []
    ) -> FrontendStatus {
        FrontendStatus(uptimeSeconds: 75, applications: applications, models: models, replicas: replicas)
    }

    private func application(_ name: String = "digits", links: [String] = ["m"]) -> ApplicationStatus {
        ApplicationStatus(
            name: name, inputType: "doubles", linkedModels: links, sloMilliseconds: 100, defaultOutput: "-1.0",
            queries: 1000, defaults: 5, queriesPerSecond: 250, latencyP50Milliseconds: 1.5, latencyP99Milliseconds: 12)
    }

    private func model(_ version: String = "1", replicas: Int = 1) -> ModelStatus {
        ModelStatus(
            name: "m", version: version, isCurrent: version == "1", replicas: replicas, queued: 3,
            queriesPerSecond: 250,
            meanBatchSize: 12.34, largestBatch: 64, latencyP50Milliseconds: 0.9, latencyP99Milliseconds: 9.5)
    }

    private func replica(of name: String = "m") -> ReplicaStatus {
        ReplicaStatus(
            modelName: name, modelVersion: "1", replica: 0, inputType: "doubles", rpcVersion: 4, queriesInFlight: 12,
            completedBatches: 80, completedQueries: 995, secondsSinceLastMessage: 0.02)
    }

    @Test("A running frontend is shown in three tables")
    func showsTables() {
        let lines = StatusReport.lines(
            status(applications: [application()], models: [model()], replicas: [replica()]), address: "http://a:1")
        #expect(
            lines == [
                "frontend http://a:1, up 1m 15s",
                "",
                "APPLICATION  INPUT      SLO  DEFAULT  MODELS  QUERIES  DEFAULTS   RATE     P50     P99",
                "digits       doubles  100ms  -1.0     m          1000  5 (0.5%)  250/s  1.50ms  12.0ms",
                "",
                "MODEL  VERSION  CURRENT  REPLICAS  QUEUED   RATE  MEAN BATCH  LARGEST    P50     P99",
                "m      1        yes             1       3  250/s        12.3       64  900us  9.50ms",
                "",
                "REPLICA  INPUT    RPC  STATE   IN FLIGHT  BATCHES  QUERIES  FAILED  LAST HEARD",
                "m:1:0    doubles  4    active         12       80      995       -    0.0s ago",
            ])
    }

    @Test("How applications select has a column where one does not as Clipper's do")
    func showsSelection() {
        var learning = application("a")
        learning.policy = PolicyDescription("exp3")
        learning.loss = .log
        var plain = application("b")
        (plain.policy, plain.loss, plain.minConfidence, plain.shadows) = (.standard, .zeroOne, 0, [])
        let table = StatusReport.applications(status(applications: [learning, plain]))
        #expect(table.columns.suffix(2).map(\.title) == ["POLICY", "LOSS"])
        #expect(table.rows.map { $0.suffix(2) } == [["exp3", "log"], ["", ""]])
        #expect(StatusReport.applications(status(applications: [plain])).columns.count == 10)
    }

    @Test("An empty frontend says what to do first")
    func advisesOnEmptyFrontend() {
        let lines = StatusReport.lines(status(), address: "http://a:1")
        #expect(lines.count == 7)
        #expect(lines.last?.contains("clipper predict") == true)
        #expect(!lines.contains { $0.contains("REPLICA") })
    }

    @Test("Latencies of what was never asked are not shown")
    func hidesUnknownLatencies() {
        let idle = ApplicationStatus(
            name: "a", inputType: "doubles", linkedModels: ["m"], sloMilliseconds: 0.5, defaultOutput: "")
        #expect(
            StatusReport.applications(status(applications: [idle])).rows
                == [["a", "doubles", "500us", "", "m", "0", "0", "0/s", "", ""]])
    }

    @Test("Versions are listed in the order of their numbers")
    func sortsVersions() {
        let table = StatusReport.models(status(models: [model("10"), model("9"), model("1")]))
        #expect(table.rows.map { $0[1] } == ["1", "9", "10"])
    }

    @Test("Where all is well there is no advice")
    func keepsQuiet() {
        let lines = StatusAdvice.lines(
            for: status(applications: [application()], models: [model()], replicas: [replica()]))
        #expect(lines.isEmpty)
    }

    @Test("A container of an unregistered model comes with the command that registers it")
    func advisesOnUnregisteredModels() {
        let lines = StatusAdvice.lines(for: status(replicas: [replica(of: "it's"), replica(of: "it's")]))
        #expect(
            lines == [
                "A container of it's:1 is connected, but that model is not registered:",
                "  clipper model register 'it'\\''s' 1 --input-type doubles",
            ])
    }

    @Test("An application without a model comes with the command that links one")
    func advisesOnLinks() {
        let lines = StatusAdvice.lines(
            for: status(applications: [application(links: [])], models: [model()], replicas: [replica()]))
        #expect(lines.last == "  clipper app link digits m")
    }

    @Test(
        "A linked model without a current version comes with the command that sets one which fits, or else registers one"
    )
    func advisesOnCurrentVersions() {
        func version(_ version: String, _ inputType: String?) -> ModelStatus {
            ModelStatus(name: "m", version: version, isCurrent: false, inputType: inputType)
        }
        for (models, lines) in [
            (
                [version("1", "doubles"), version("2", "doubles"), version("3", "strings")],
                [
                    "Model m is linked to an application, but has no current version:",
                    "  clipper model set-version m 2",
                ]
            ),
            (
                [version("3", "strings")],
                [
                    "Model m is linked to an application, but has no current version, as none takes what the application sends:",
                    "  clipper model register m VERSION --input-type doubles",
                ]
            ),
            (
                [],
                [
                    "Model m is linked to an application, but has no current version:",
                    "  clipper model register m VERSION --input-type doubles",
                ]
            ),
        ] as [([ModelStatus], [String])] {
            #expect(StatusAdvice.lines(for: status(applications: [application()], models: models)) == lines)
        }
    }

    @Test("A linked model without a container is pointed out")
    func advisesOnContainers() {
        let lines = StatusAdvice.lines(for: status(applications: [application()], models: [model(replicas: 0)]))
        #expect(lines == ["No container of m:1 is connected; start one."])
    }

    @Test(
        "A linked model whose containers are there and get nothing is pointed out, and why",
        arguments: [
            (
                ["draining"],
                "No container of m:1 takes queries: they drain, end, or are stuck. To take back what was drained:"
            ),
            (
                ["draining", "stuck"],
                "No container of m:1 takes queries: they drain, end, or are stuck. To take back what was drained:"
            ),
            (["stuck"], "The containers of m:1 are stuck: they get nothing until they answer. Restart them."),
            (
                ["unsuitable"],
                "The containers of m:1 take other inputs than it is registered with; start one that takes these."
            ),
        ])
    func advisesOnStates(states: [String], note: String) {
        let replicas = states.map { state in
            var replica = replica()
            replica.state = state
            return replica
        }
        let lines = StatusAdvice.lines(
            for: status(applications: [application()], models: [model()], replicas: replicas))
        #expect(lines.first == note)
        #expect(lines.dropFirst().allSatisfy { $0 == "  clipper model drain m 1 --resume" })
        let withAnother = StatusAdvice.lines(
            for: status(applications: [application()], models: [model()], replicas: replicas + [replica()]))
        #expect(withAnother.isEmpty)
    }

    @Test("A container that fails for every batch is pointed out, one that fails now and then is not")
    func advisesOnFailures() {
        var failing = replica()
        (failing.completedBatches, failing.failedBatches) = (7, 7)
        var good = replica()
        good.failedBatches = 7
        func lines(_ replica: ReplicaStatus) -> [String] {
            StatusAdvice.lines(for: status(applications: [application()], models: [model()], replicas: [replica]))
        }
        #expect(
            lines(failing) == [
                "The container of m:1:0 has failed for at least half of its batches, wholly or for some inputs; its log, and the frontend's, say why."
            ])
        #expect(lines(good).isEmpty)
        var new = replica()
        (new.completedBatches, new.failedBatches) = (0, 0)
        #expect(lines(new).isEmpty)
    }

    @Test("An application whose models all are shadows is pointed out")
    func advisesOnShadows() {
        var application = application()
        application.shadows = ["m"]
        let lines = StatusAdvice.lines(
            for: status(applications: [application], models: [model()], replicas: [replica()]))
        #expect(lines.last == "  clipper app set-policy digits POLICY --shadow MODEL")
        application.linkedModels.append("n")
        let others = StatusAdvice.lines(
            for: status(applications: [application], models: [model()], replicas: [replica()]))
        #expect(!others.contains { $0.contains("shadow") })
    }

    @Test("A long list of notes is cut")
    func cutsAdvice() {
        let lines = StatusAdvice.lines(
            for: status(applications: (0..<20).map { application("a\($0)", links: []) }, models: [model()]))
        #expect(lines.count == 11)
        #expect(lines.last == "… and 15 more notes of this kind.")
    }
}
