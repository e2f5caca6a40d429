import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The frontend's status")
struct StatusTests {
    private let status = makeReport().status

    @Test("A replica is listed with what it has done and does")
    func replica() {
        #expect(
            status.replicas == [
                ReplicaStatus(
                    modelName: "sum", modelVersion: "1", replica: 3, inputType: "doubles", rpcVersion: 3, metadata: [:],
                    batchesInFlight: 1,
                    queriesInFlight: 2, completedBatches: 2, completedQueries: 3, failedBatches: 0,
                    secondsSinceLastMessage: 2,
                    state: "stuck", batchLimit: 60, latencyInterceptMilliseconds: 4, latencySlopeMilliseconds: 0.1)
            ])
    }

    @Test("A replica is listed in the spelling that its model was registered in")
    func spelling() {
        var report = makeReport()
        let registered = ModelVersion(name: "caf\u{E9}", version: "1")
        report.catalog = .serving(makeModel(registered.name))
        let replica = report.replicas[0]
        report.replicas = [
            ReplicaListing(
                id: replica.id, model: ModelVersion(name: "cafe\u{301}", version: "1"), number: 3, inputType: .float64,
                rpcVersion: .three, details: RegistrationDetails(), batchesInFlight: 0,
                lastReceived: replica.lastReceived)
        ]
        #expect(report.status.replicas.map { Array($0.modelName.utf8) } == [Array(registered.name.utf8)])
    }

    @Test("Every registered model is listed, also one that nobody has asked")
    func models() throws {
        #expect(status.models.map(\.name) == ["idle", "sum"])
        let (idle, sum) = (try #require(status.models.first), try #require(status.models.last))
        #expect(idle == ModelStatus(name: "idle", version: "2", isCurrent: true, inputType: "doubles"))
        #expect(sum.replicas == 1)
        #expect(sum.queued == 2)
        #expect(sum.meanBatchSize == 1.5)
        #expect(sum.largestBatch == 2)
        #expect(abs(sum.latencyP50Milliseconds - 1) < 0.02)
        #expect(abs(sum.latencyP99Milliseconds - 3) < 0.05)
        #expect(sum.cacheLookups == 4)
        #expect(sum.cacheHits == 1)
        #expect(sum.drops == 17)
        #expect(sum.hedges == 7)
        #expect(sum.retries == 5)
    }

    @Test("Latencies are those of late, where something came of late")
    func recent() throws {
        var report = makeReport()
        let application = ApplicationHandle(index: 0)
        for _ in 0..<10 {
            report.metrics.applications[application]?.record(
                .output([]), after: .milliseconds(7), now: at(.seconds(99)))
        }
        report.metrics.completed(1, of: ModelHandle(index: 0), in: .milliseconds(5), now: at(.seconds(99)))
        let status = report.status
        #expect(abs(try #require(status.applications.first).latencyP99Milliseconds - 7) < 0.1)
        #expect(abs(try #require(status.models.last).latencyP50Milliseconds - 5) < 0.1)
    }

    @Test("An application is listed with its settings, its queries and its latencies")
    func applications() throws {
        let application = try #require(status.applications.first)
        #expect(application.name == "app")
        #expect(application.sloMilliseconds == 100)
        #expect(application.queries == 4)
        #expect(application.defaults == 1)
        #expect(abs(application.latencyP50Milliseconds - 2) < 0.05)
        #expect(abs(application.latencyP99Milliseconds - 100) < 1)
    }
}
