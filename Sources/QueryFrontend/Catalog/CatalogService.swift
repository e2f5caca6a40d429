import Dispatch

/// Owns the catalog: changes go through it one at a time, and are durable before anybody sees them.
public actor CatalogService {
    /// The catalog with every change that is durable, also one that is just being published.
    public private(set) var catalog: Catalog

    private let store: any CatalogStore
    /// Where the store waits for the disk: neither who reads the catalog nor the threads of Swift's tasks wait with it.
    private let disk = DispatchQueue(label: "catalog")
    private let policies: SelectionPolicies
    private let publish: @Sendable (Catalog) async -> Void
    private var isChanging = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Loads the catalog from `store`. The first catalog is not published: read ``catalog``.
    ///
    /// - Parameters:
    ///   - store: Where changes are kept.
    ///   - policies: The policies that applications can have.
    ///   - publish: Takes each new catalog, in order, one call at a time; a change ends when it returns.
    /// - Throws: What the store throws, and ``CatalogStoreError`` for an application whose policy is none of `policies`.
    init(
        store: any CatalogStore, policies: SelectionPolicies = .standard,
        publish: @escaping @Sendable (Catalog) async -> Void
    ) throws {
        self.store = store
        self.policies = policies
        self.publish = publish
        let catalog = try store.load()
        for application in catalog.applications.values.sorted(by: { $0.name < $1.name }) {
            do {
                _ = try policies.policy(for: application.selection.policy)
            } catch {
                throw CatalogStoreError(
                    .unknownPolicy,
                    "the store holds the application '\(application.name)' with the policy "
                        + "'\(application.selection.policy)', which this frontend does not have: \(error). "
                        + "Start a frontend that this policy was added to")
            }
        }
        self.catalog = catalog
    }

    /// Validates a change, makes it durable, then takes it over, then publishes the new catalog and waits for that.
    ///
    /// It runs to its end even when its task is cancelled, because half a change would leave store and frontend apart.
    ///
    /// - Returns: The change as it was carried out, and those that followed from it at once: versions that became current
    ///   because what stood in their way is gone.
    /// - Throws: ``CatalogError`` for a change that breaks a rule or names a policy that there is not, or what the store throws; nothing has changed then.
    @discardableResult
    public func perform(_ change: CatalogChange) async throws -> [CatalogChange] {
        await waitForTurn()
        defer { endTurn() }
        // Nobody else changes it meanwhile: it is this change's turn.
        var new = catalog
        let changes = try new.perform(policies.checked(change, in: catalog))
        try await save(changes)
        catalog = new
        await publish(new)
        return changes
    }

    private func save(_ changes: [CatalogChange]) async throws {
        try await withCheckedThrowingContinuation { continuation in
            disk.async { [store] in continuation.resume(with: Result { try store.save(changes) }) }
        }
    }

    /// An actor lets other calls in while one awaits, so catalogs could be published out of order without turns.
    private func waitForTurn() async {
        guard isChanging else {
            isChanging = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func endTurn() {
        if waiting.isEmpty {
            isChanging = false
        } else {
            // The turn passes on: `isChanging` stays true, so that nobody can step in between.
            waiting.removeFirst().resume()
        }
    }
}
