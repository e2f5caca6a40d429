import Testing

@testable import QueryFrontend

@Suite("Rules of the catalog: options of models")
struct CatalogModelOptionsTests {
    private let id = ModelVersion(name: "m", version: "1")

    private func model(after options: ModelOptions..., of batching: Batching = Batching()) throws -> Model? {
        var catalog = try makeCatalog(.registerModel(makeModel(labels: ["a"], batching: batching)))
        for options in options { try catalog.perform(.setModelOptions(id, options)) }
        return catalog.models[id]
    }

    @Test("What is not given stays as it is")
    func keepsTheRest() throws {
        let old = Batching(limit: .aimd(increase: 4, backoff: 0.5), maxDelay: .milliseconds(2), maxBatch: 64)
        var model = try model(after: ModelOptions(maxBatch: 32), of: old)
        #expect(model?.batching == Batching(limit: old.limit, maxDelay: old.maxDelay, maxBatch: 32))
        model = try self.model(after: ModelOptions(limit: .deadline), ModelOptions(maxDelay: .zero), of: old)
        #expect(model?.batching == Batching(maxBatch: 64))
        #expect(model?.labels == ["a"] && model?.cachesPredictions == true)
        model = try self.model(after: ModelOptions(cachesPredictions: false), ModelOptions(labels: []), of: old)
        #expect(model?.batching == old)
        #expect(model?.labels == [] && model?.cachesPredictions == false)
    }

    @Test("The largest batch goes with the limit, unless somebody has set it")
    func largestBatch() throws {
        #expect(try model(after: ModelOptions(limit: .fixed(5000)))?.batching.maxBatch == 5000)
        #expect(
            try model(after: ModelOptions(limit: .fixed(5000)), ModelOptions(limit: .deadline))?.batching == Batching())
        #expect(throws: CatalogError("batching: 'max_batch', 64, is smaller than the fixed batch size, 100")) {
            try model(after: ModelOptions(limit: .fixed(100)), of: Batching(maxBatch: 64))
        }
    }

    @Test(
        "What is set anew has the bounds of a registration",
        arguments: [
            ModelOptions(limit: .fixed(0)), ModelOptions(limit: .aimd(increase: 1, backoff: .nan)),
            ModelOptions(maxDelay: .seconds(61)), ModelOptions(maxDelay: .seconds(-1)), ModelOptions(maxBatch: 0),
            ModelOptions(labels: ["a:b"]),
        ])
    func bounds(options: ModelOptions) {
        #expect(throws: CatalogError.self) { try model(after: options) }
    }

    @Test("Options of a version that is not registered cannot be set")
    func refusesUnknown() {
        #expect(throws: CatalogError("model with name 'm' and version '1' does not exist")) {
            try Catalog().validated(.setModelOptions(id, ModelOptions(maxBatch: 1)))
        }
    }

    @Test("A change that is carried out holds every option, and the name as it was registered")
    func completes() throws {
        let catalog = try makeCatalog(.registerModel(makeModel("caf\u{E9}", labels: ["a"])))
        let change = try catalog.validated(
            .setModelOptions(
                ModelVersion(name: "cafe\u{301}", version: "1"), ModelOptions(maxDelay: .nanoseconds(2_000_999))))
        guard case .setModelOptions(let id, let options) = change else {
            Issue.record("another change came back: \(change)")
            return
        }
        #expect(Array(id.name.utf8) == Array("caf\u{E9}".utf8))
        #expect(
            options
                == ModelOptions(
                    limit: .deadline, maxDelay: .microseconds(2_000), maxBatch: 4096, cachesPredictions: true,
                    labels: ["a"]))
    }
}
