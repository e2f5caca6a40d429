import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Rules of the catalog: batching")
struct CatalogBatchingTests {
    private static let accepted: [Batching] = [
        Batching(), Batching(limit: .aimd(increase: 1, backoff: 0.001)),
        Batching(limit: .aimd(increase: 2_147_483_647, backoff: 0.999)), Batching(limit: .fixed(1), maxBatch: 1),
        Batching(limit: .fixed(2_147_483_647), maxBatch: 2_147_483_647), Batching(maxDelay: .seconds(60)),
        Batching(.fixed(5_000)),
    ]

    @Test("The smallest and the largest settings are fine", arguments: accepted)
    func accepts(batching: Batching) throws {
        let catalog = try makeCatalog(.registerModel(makeModel(batching: batching)))
        #expect(catalog.currentModel(named: "m")?.batching == batching)
    }

    @Test(
        "What is out of range is refused, and named",
        arguments: [
            (Batching(limit: .aimd(increase: 0, backoff: 0.9)), "'increase'"),
            (Batching(limit: .aimd(increase: .max, backoff: 0.9)), "'increase'"),
            (Batching(limit: .aimd(increase: 2, backoff: 0)), "'backoff'"),
            (Batching(limit: .aimd(increase: 2, backoff: 1)), "'backoff'"),
            (Batching(limit: .aimd(increase: 2, backoff: .nan)), "'backoff'"),
            (Batching(limit: .fixed(0)), "batch size"), (Batching(.fixed(.max)), "batch size"),
            (Batching(maxDelay: .microseconds(-1)), "'max_delay_micros'"),
            (Batching(maxDelay: .seconds(61)), "'max_delay_micros'"),
            (Batching(maxDelay: .seconds(Int64.max)), "'max_delay_micros'"),
            (Batching(maxBatch: 0), "'max_batch'"), (Batching(maxBatch: 1 << 31), "'max_batch'"),
            (Batching(limit: .fixed(64), maxBatch: 63), "'max_batch'"),
        ])
    func refuses(batching: Batching, name: String) {
        let error = #expect(throws: CatalogError.self) {
            try Catalog().validated(.registerModel(makeModel(batching: batching)))
        }
        #expect(error?.message.contains(name) == true)
    }

    @Test("A delay is kept in whole microseconds, as the store keeps it")
    func truncatesDelay() throws {
        let catalog = try makeCatalog(.registerModel(makeModel(batching: Batching(maxDelay: .nanoseconds(1999)))))
        #expect(catalog.currentModel(named: "m")?.batching.maxDelay == .microseconds(1))
    }

    @Test("A model's outputs are cached unless it says otherwise")
    func keepsCache() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel("a")), .registerModel(makeModel("b", cachesPredictions: false)))
        #expect(catalog.currentModel(named: "a")?.cachesPredictions == true)
        #expect(catalog.currentModel(named: "b")?.cachesPredictions == false)
    }

    @Test(
        "Only a fixed size is told as a batch size",
        arguments: [
            (.deadline, .adaptive), (.aimd(increase: 2, backoff: 0.9), .adaptive), (.fixed(7), .fixed(7)),
        ] as [(Batching.Limit, BatchSize)])
    func tellsBatchSize(limit: Batching.Limit, size: BatchSize) {
        #expect(makeModel(batching: Batching(limit: limit)).batchSize == size)
    }
}

@Suite("Batching in parts")
struct BatchingDescriptionTests {
    @Test(
        "Without a policy the batch size says which, and what is left out has its default",
        arguments: [
            (BatchingDescription(), .adaptive, Batching()), (BatchingDescription(), .fixed(8), Batching(.fixed(8))),
            (BatchingDescription(), .fixed(10_000), Batching(limit: .fixed(10_000), maxBatch: 10_000)),
            (
                BatchingDescription(maxDelayMicroseconds: 2000, maxBatch: 512), .adaptive,
                Batching(maxDelay: .milliseconds(2), maxBatch: 512)
            ),
            (
                BatchingDescription(maxDelayMicroseconds: 1), .fixed(8),
                Batching(limit: .fixed(8), maxDelay: .microseconds(1))
            ),
            (BatchingDescription(size: 8), .fixed(8), Batching(.fixed(8))),
        ] as [(BatchingDescription, BatchSize, Batching)])
    func fallsBack(description: BatchingDescription, size: BatchSize, batching: Batching) throws {
        #expect(try description.batching(beside: size) == batching)
    }

    @Test(
        "A policy says which limit",
        arguments: [
            (BatchingDescription(policy: "deadline"), .deadline),
            (BatchingDescription(policy: "aimd"), .aimd(increase: 2, backoff: 0.9)),
            (BatchingDescription(policy: "aimd", increase: 4, backoff: 0.5), .aimd(increase: 4, backoff: 0.5)),
            (BatchingDescription(policy: "fixed", size: 64), .fixed(64)),
        ] as [(BatchingDescription, Batching.Limit)])
    func takesPolicy(description: BatchingDescription, limit: Batching.Limit) throws {
        #expect(try description.batching(beside: .adaptive) == Batching(limit: limit))
    }

    @Test(
        "What contradicts itself or the batch size is refused",
        arguments: [
            (BatchingDescription(policy: "aimd"), .fixed(8), "contradicts the batch size 8"),
            (BatchingDescription(policy: "deadline"), .fixed(8), "contradicts the batch size 8"),
            (BatchingDescription(policy: "fixed", size: 9), .fixed(8), "the fixed size 9 contradicts"),
            (BatchingDescription(size: 9), .fixed(8), "the fixed size 9 contradicts"),
            (BatchingDescription(policy: "fixed"), .adaptive, "needs a size"),
            (BatchingDescription(size: 9), .adaptive, "'size' belongs to the policy 'fixed'"),
            (BatchingDescription(policy: "aimd", size: 9), .adaptive, "'size' belongs to the policy 'fixed'"),
            (BatchingDescription(increase: 2), .adaptive, "'increase' belongs to the policy 'aimd'"),
            (BatchingDescription(policy: "fixed", backoff: 0.5), .fixed(8), "'backoff' belongs to the policy 'aimd'"),
            (BatchingDescription(policy: "best"), .adaptive, "'best' is no policy; these are: deadline, aimd, fixed"),
            (BatchingDescription(policy: "aimd", backoff: 2), .adaptive, "'backoff' must be"),
        ] as [(BatchingDescription, BatchSize, String)])
    func refuses(description: BatchingDescription, size: BatchSize, words: String) {
        let error = #expect(throws: CatalogError.self) { try description.batching(beside: size) }
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test(
        "What is described is the same again",
        arguments: [
            Batching(), Batching(limit: .aimd(increase: 3, backoff: 0.75), maxDelay: .milliseconds(2), maxBatch: 100),
            Batching(.fixed(9_999)),
        ])
    func roundTrips(batching: Batching) throws {
        #expect(try BatchingDescription(batching).batching(beside: batching.batchSize) == batching)
        #expect(try BatchingDescription(batching).batching(beside: .adaptive) == batching)
    }
}
