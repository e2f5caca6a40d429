import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

/// A store that cannot be written.
struct FullStore: CatalogStore {
    static let error = CatalogStoreError(.full, "the store 'x' cannot grow: the disk is full")

    func load() throws -> Catalog { Catalog() }
    func save(_ changes: [CatalogChange]) throws { throw Self.error }
}

/// A store whose disk is slow: a change takes until it is let go.
private struct SlowStore: CatalogStore {
    let isSaving = DispatchSemaphore(value: 0)
    let letGo = DispatchSemaphore(value: 0)

    func load() throws -> Catalog { Catalog() }
    func save(_ changes: [CatalogChange]) throws {
        isSaving.signal()
        letGo.wait()
    }
}

/// Takes published catalogs, and notes when two come at once.
private actor Subscriber {
    private(set) var catalogs: [Catalog] = []
    private(set) var overlaps = 0
    private var isReceiving = false

    func receive(_ catalog: Catalog) async {
        if isReceiving { overlaps += 1 }
        isReceiving = true
        // Others get their chance to come in between.
        for _ in 0..<3 { await Task.yield() }
        catalogs.append(catalog)
        isReceiving = false
    }
}

@Suite("The owner of the catalog")
struct CatalogServiceTests {
    @Test("It starts with what the store holds")
    func loads() async throws {
        let store = try SQLiteCatalogStore(path: ":memory:")
        try store.save([.registerApplication(makeApplication())])
        let service = try CatalogService(store: store) { _ in }
        #expect(await service.catalog.applications["digits"] == makeApplication())
    }

    @Test("A change is stored and published when it is done")
    func performs() async throws {
        let store = try SQLiteCatalogStore(path: ":memory:")
        let subscriber = Subscriber()
        let service = try CatalogService(store: store) { await subscriber.receive($0) }
        try await service.perform(.registerApplication(makeApplication()))
        let catalog = await service.catalog
        #expect(catalog.applications["digits"] == makeApplication())
        #expect(try store.load() == catalog)
        #expect(await subscriber.catalogs == [catalog])
    }

    @Test("A refused change is neither stored nor published")
    func refuses() async throws {
        let store = try SQLiteCatalogStore(path: ":memory:")
        let subscriber = Subscriber()
        let service = try CatalogService(store: store) { await subscriber.receive($0) }
        await #expect(throws: CatalogError("Application 'a' does not exist")) {
            try await service.perform(.deleteApplication(name: "a"))
        }
        #expect(await service.catalog == Catalog())
        #expect(await subscriber.catalogs.isEmpty)
    }

    @Test("A change that cannot be stored does not happen")
    func failsToStore() async throws {
        let subscriber = Subscriber()
        let service = try CatalogService(store: FullStore()) { await subscriber.receive($0) }
        await #expect(throws: FullStore.error) {
            try await service.perform(.registerApplication(makeApplication()))
        }
        #expect(await service.catalog == Catalog())
        #expect(await subscriber.catalogs.isEmpty)
    }

    @Test("While a change waits for the disk, the catalog of before can be read", .timeLimit(.minutes(1)))
    func readsMeanwhile() async throws {
        let store = SlowStore()
        let service = try CatalogService(store: store) { _ in }
        async let change = service.perform(.registerApplication(makeApplication()))
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                store.isSaving.wait()
                continuation.resume()
            }
        }
        #expect(await service.catalog == Catalog())
        store.letGo.signal()
        _ = try await change
        #expect(await service.catalog.applications.count == 1)
    }

    @Test("After a failure the next change has its turn")
    func goesOn() async throws {
        let service = try CatalogService(store: SQLiteCatalogStore(path: ":memory:")) { _ in }
        await #expect(throws: CatalogError.self) { try await service.perform(.deleteApplication(name: "a")) }
        try await service.perform(.registerApplication(makeApplication()))
        #expect(await service.catalog.applications.count == 1)
    }

    @Test("Changes asked for at once are published one by one, in order")
    func serialises() async throws {
        let subscriber = Subscriber()
        let service = try CatalogService(store: SQLiteCatalogStore(path: ":memory:")) {
            await subscriber.receive($0)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    try await service.perform(.registerApplication(makeApplication("app\(index)")))
                }
            }
            try await group.waitForAll()
        }
        #expect(await subscriber.catalogs.map(\.applications.count) == Array(1...50))
        #expect(await subscriber.overlaps == 0)
    }
}
