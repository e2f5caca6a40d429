import ContainerRPC
import Foundation
import GRDB
import TestSupport
import Testing

@testable import QueryFrontend

@Suite("A store of an older version")
struct CatalogMigrationTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("catalog.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    /// A file as version 0.1 left it, byte for byte in what it says.
    private static let version01 = """
        PRAGMA application_id = 1131178352;
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('applications, models and links');
        CREATE TABLE model (
            name TEXT NOT NULL, version TEXT NOT NULL, input_type TEXT NOT NULL, labels TEXT NOT NULL,
            container_name TEXT NOT NULL, data_path TEXT NOT NULL, batch_size INTEGER NOT NULL,
            registration INTEGER NOT NULL UNIQUE, PRIMARY KEY (name, version)
        ) STRICT;
        INSERT INTO model VALUES ('sum', '1', 'doubles', '[]', 'NO_CONTAINER', '', -1, 1);
        INSERT INTO model VALUES ('sum', '2', 'doubles', '["a","b"]', 'c', 'p', 64, 2);
        INSERT INTO model VALUES ('big', '1', 'strings', '[]', 'c', 'p', 10000, 3);
        INSERT INTO model VALUES ('vast', '1', 'bytes', '[]', 'c', 'p', 9007199254740992, 4);
        CREATE TABLE current_version (
            name TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL,
            FOREIGN KEY (name, version) REFERENCES model (name, version)
        ) STRICT;
        INSERT INTO current_version VALUES ('sum', '1'), ('big', '1'), ('vast', '1');
        CREATE TABLE application (
            name TEXT NOT NULL PRIMARY KEY, input_type TEXT NOT NULL, default_output TEXT NOT NULL,
            latency_slo_micros INTEGER NOT NULL
        ) STRICT;
        INSERT INTO application VALUES ('demo', 'doubles', '-1.0', 100000);
        CREATE TABLE link (
            position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            application TEXT NOT NULL REFERENCES application (name) ON DELETE CASCADE, model TEXT NOT NULL,
            UNIQUE (application, model)
        ) STRICT;
        INSERT INTO link VALUES (1, 'demo', 'sum');
        """

    private func edit(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in try db.execute(sql: sql) }
        try queue.close()
    }

    private static func model(
        _ name: String, _ version: String, _ type: InputType, _ batching: Batching, registration: Int,
        labels: [String] = [], container: String = "c", data: String = "p"
    ) -> Model {
        Model(
            id: ModelVersion(name: name, version: version), inputType: type, labels: labels, containerName: container,
            modelDataPath: data, batching: batching, registration: registration)
    }

    @Test("A store of version 0.1 keeps its data, and what is new has its default")
    func opensVersion01() throws {
        try edit(Self.version01)
        let catalog = try SQLiteCatalogStore(path: path).load()
        #expect(
            catalog.applications == [
                "demo": Application(
                    name: "demo", inputType: .float64, defaultOutput: "-1.0", latencySLO: .milliseconds(100),
                    linkedModels: ["sum"])
            ])
        let models = [
            Self.model("sum", "1", .float64, Batching(), registration: 1, container: "NO_CONTAINER", data: ""),
            Self.model("sum", "2", .float64, Batching(limit: .fixed(64)), registration: 2, labels: ["a", "b"]),
            Self.model("big", "1", .string, Batching(limit: .fixed(10_000), maxBatch: 10_000), registration: 3),
            // More than any batch can hold; there was no bound then.
            Self.model("vast", "1", .bytes, Batching(.fixed(2_147_483_647)), registration: 4),
        ]
        #expect(catalog.models == Dictionary(uniqueKeysWithValues: models.map { ($0.id, $0) }))
        #expect(catalog.currentVersions == ["sum": "1", "big": "1", "vast": "1"])
    }

    @Test("A store of version 0.1 takes the new settings, and keeps them")
    func changesVersion01() throws {
        try edit(Self.version01)
        var store = try SQLiteCatalogStore(path: path)
        var catalog = try store.load()
        let changes: [CatalogChange] = [
            .setApplicationOptions(name: "demo", ApplicationOptions(overload: .reject, hedging: .on(Hedging()))),
            .registerModel(makeModel("watcher")),
            .setApplicationOptions(
                name: "demo", ApplicationOptions(policy: PolicyDescription("exp3"), shadows: ["watcher"])),
            .registerModel(
                makeModel(
                    "sum", version: "3",
                    batching: Batching(limit: .aimd(increase: 4, backoff: 0.5), maxDelay: .milliseconds(2)),
                    cachesPredictions: false)),
        ]
        for change in changes { try store.save(catalog.perform(change)) }
        try store.close()
        store = try SQLiteCatalogStore(path: path)
        #expect(try store.load() == catalog)
        #expect(catalog.applications["demo"]?.hedging == Hedging())
    }

    @Test("A store that a later version has migrated is refused")
    func refusesLaterVersions() throws {
        try SQLiteCatalogStore(path: path).close()
        try edit("INSERT INTO grdb_migrations VALUES ('of the future')")
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: path) }
        #expect(error?.kind == .foreign)
    }

    @Test(
        "Settings that nobody could have set are corrupt, and the message names where they are",
        arguments: [
            ("UPDATE model SET batch_policy = 'best'", "m:1"), ("UPDATE model SET batch_policy = 'fixed'", "m:1"),
            ("UPDATE model SET batch_size = 0", "m:1"), ("UPDATE model SET batch_size = 8", "m:1"),
            ("UPDATE model SET aimd_increase = 8", "m:1"), ("UPDATE model SET max_delay_micros = -1", "m:1"),
            ("UPDATE model SET max_batch = 0", "m:1"), ("UPDATE application SET overload = 'drop'", "'digits'"),
            ("UPDATE application SET hedge_quantile = 2, hedge_max_extra_work = 0.05", "'digits'"),
            ("UPDATE application SET loss = 'mse'", "'digits'"),
            ("UPDATE application SET min_confidence = 2", "'digits'"),
            ("UPDATE application SET policy = ''", "'digits'"),
            ("UPDATE application SET policy_parameters = '{\"a\":[]}'", "'digits'"),
            ("UPDATE application SET shadows = 'm'", "'digits'"),
        ])
    func refusesCorruptSettings(sql: String, name: String) throws {
        let store = try SQLiteCatalogStore(path: path)
        var catalog = Catalog()
        try store.save(catalog.perform(.registerApplication(makeApplication())))
        try store.save(catalog.perform(.registerModel(makeModel())))
        try store.close()
        try edit(sql)
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: path).load() }
        #expect(error?.kind == .corrupt)
        #expect(error?.message.contains(name) == true, "\(String(describing: error))")
    }
}
