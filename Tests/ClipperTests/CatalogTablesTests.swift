import Foundation
import QueryFrontend
import Testing

@testable import clipper

@Suite("Tables of applications and models")
struct CatalogTablesTests {
    private func application(
        _ name: String, overload: String? = "default", hedging: HedgingSetting? = .off
    ) -> RegisteredApplication {
        RegisteredApplication(
            name: name, inputType: "doubles", defaultOutput: "-1", latencySLOMicroseconds: 20_000, linkedModels: ["m"],
            overload: overload, hedging: hedging)
    }

    private func model(
        _ version: String, batchSize: Int? = -1, batching: BatchingDescription? = BatchingDescription(Batching()),
        cache: Bool? = true
    ) -> RegisteredModel {
        RegisteredModel(
            name: "m", version: version, inputType: "doubles", labels: [], containerName: "c", modelDataPath: "p",
            batchSize: batchSize, isCurrent: true, batching: batching, cache: cache)
    }

    @Test("Settings that are as they are by default have no column and no line")
    func hidesDefaults() {
        #expect(
            CatalogTables.applications([application("a")]).lines == [
                "APPLICATION  INPUT     SLO  DEFAULT  MODELS", "a            doubles  20ms  -1       m",
            ])
        #expect(CatalogTables.fields(application("a")).count == 5)
        #expect(
            CatalogTables.models([model("1")]).lines == [
                "MODEL  VERSION  CURRENT  INPUT    BATCHING  LABELS", "m      1        yes      doubles  deadline  -",
            ])
        #expect(CatalogTables.fields(model("1")).count == 8)
    }

    @Test("A setting that one application has gets a column for all")
    func showsOptions() {
        let hedged = application("b", hedging: .on(Hedging(quantile: 0.99, maxExtraWork: 0.1)))
        #expect(
            CatalogTables.applications([application("a"), hedged]).lines == [
                "APPLICATION  INPUT     SLO  DEFAULT  MODELS  HEDGING",
                "a            doubles  20ms  -1       m       -",
                "b            doubles  20ms  -1       m       after 99%, at most 10%",
            ])
        let fields = CatalogTables.fields(application("c", overload: "reject"))
        #expect(fields.last == "overload        reject")
    }

    @Test("How an application selects is shown where it is not as Clipper's do")
    func showsSelection() {
        var learning = application("b")
        learning.policy = PolicyDescription("weighted", ["m": .number(90), "n": .number(10)])
        learning.loss = "zero-one"
        learning.minConfidence = 0.6
        learning.shadows = ["x", "y"]
        #expect(
            CatalogTables.applications([application("a"), learning]).lines == [
                "APPLICATION  INPUT     SLO  DEFAULT  MODELS  POLICY                  MIN CONFIDENCE  SHADOW",
                "a            doubles  20ms  -1       m       -                       -               -",
                "b            doubles  20ms  -1       m       weighted(m: 90, n: 10)  60%             x, y",
            ])
        #expect(
            CatalogTables.fields(learning).suffix(3) == [
                "policy          weighted(m: 90, n: 10)", "min confidence  60%", "shadow          x, y",
            ])
    }

    @Test("Batching is shown as it is written, and what is not usual beside it")
    func showsBatching() {
        let aimd = Batching(limit: .aimd(increase: 4, backoff: 0.9), maxDelay: .microseconds(1500), maxBatch: 512)
        let models = [
            model("1", batching: BatchingDescription(aimd), cache: false),
            model("2", batchSize: 10_000, batching: BatchingDescription(Batching(.fixed(10_000)))),
        ]
        #expect(
            CatalogTables.models(models).lines == [
                "MODEL  VERSION  CURRENT  INPUT    BATCHING      LABELS  MAX DELAY  MAX BATCH  CACHE",
                "m      1        yes      doubles  aimd(4,0.9)   -       1.5ms      512        off",
                "m      2        yes      doubles  fixed(10000)  -       -          -          -",
            ])
        #expect(CatalogTables.fields(models[0]).contains("max delay        1.5ms"))
    }

    @Test("What a frontend does not tell, or tells in words of its own, is shown as far as it goes")
    func showsOthers() {
        #expect(CatalogTables.models([model("1", batchSize: nil, batching: nil, cache: nil)]).rows[0][4] == "")
        #expect(CatalogTables.models([model("1", batchSize: 8, batching: nil)]).rows[0][4] == "8")
        #expect(CatalogTables.models([model("1", batching: BatchingDescription(policy: "new"))]).rows[0][4] == "new")
        #expect(CatalogTables.applications([application("a", overload: nil, hedging: nil)]).columns.count == 5)
        #expect(CatalogTables.applications([]).lines.count == 1)
    }

    @Test("Settings are read from the frontend's JSON")
    func reads() throws {
        let json = """
            [{"name":"a","input_type":"doubles","default_output":"","latency_slo_micros":1,"linked_models":[],\
            "overload":"reject","hedging":{"quantile":0.5,"max_extra_work":0.25}},
            {"name":"b","input_type":"doubles","default_output":"","latency_slo_micros":1,"linked_models":[],\
            "overload":"default","hedging":false,"policy":{"name":"w","parameters":{"m":1,"k":"x"}},"loss":"log",\
            "min_confidence":0.5,"shadow":["m"]}]
            """
        let read = try JSONDecoder().decode([RegisteredApplication].self, from: Data(json.utf8))
        #expect(read.map(\.overload) == ["reject", "default"])
        #expect(read.map(\.policy) == [nil, PolicyDescription("w", ["m": .number(1), "k": .text("x")])])
        #expect(read.map(\.loss) == [nil, "log"])
        #expect(read.map(\.minConfidence) == [nil, 0.5])
        #expect(read.map(\.shadows) == [nil, ["m"]])
        #expect(read.map(\.hedging) == [.on(Hedging(quantile: 0.5, maxExtraWork: 0.25)), .off])
    }
}
