import ContainerRPC
import Foundation
import GRDB
import TestSupport
import Testing

@testable import QueryFrontend

@Suite("The SQLite store of the catalog")
struct CatalogStoreTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("catalog.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    /// A catalog in which every kind of change has left something.
    private static let changes: [CatalogChange] = [
        .registerApplication(makeApplication("digits")),
        .registerApplication(makeApplication("gone")),
        .registerApplication(
            Application(
                name: "日本", inputType: .string, defaultOutput: "{\"a\": \"ü\"}\n", latencySLO: .microseconds(20_001))),
        .setApplicationOptions(name: "digits", ApplicationOptions(overload: .reject, hedging: .on(Hedging()))),
        .setApplicationOptions(name: "digits", ApplicationOptions(hedging: .off)),
        .setApplicationOptions(
            name: "日本", ApplicationOptions(hedging: .on(Hedging(quantile: 0.999, maxExtraWork: 0.01)))),
        .registerApplication(
            Application(
                name: "hedged", inputType: .bytes, defaultOutput: "", latencySLO: .seconds(1), overload: .reject,
                hedging: Hedging(quantile: 0.5, maxExtraWork: 1))),
        .registerModel(makeModel("b", labels: [], batchSize: .fixed(32))),
        .registerModel(
            makeModel(
                "c",
                batching: Batching(
                    limit: .aimd(increase: 4, backoff: 0.9), maxDelay: .microseconds(1_500), maxBatch: 512),
                cachesPredictions: false)),
        .registerModel(makeModel("c", version: "2", batching: Batching(.fixed(10_000)))),
        .registerModel(makeModel("c", version: "3", batching: Batching(limit: .deadline, maxBatch: 1))),
        .registerModel(makeModel("a", labels: ["", "x", "\"quoted\""])),
        .registerModel(makeModel("a", version: "2")),
        .registerModel(makeModel("a", version: "3")),
        .registerModel(makeModel("a", version: "4")),
        .linkModels(application: "digits", models: ["b", "a"]),
        .linkModels(application: "gone", models: ["a"]),
        .unlinkModels(application: "digits", models: ["b"]),
        .linkModels(application: "digits", models: ["b"]),
        .setCurrentVersion(ModelVersion(name: "a", version: "1")),
        .setCurrentVersion(ModelVersion(name: "a", version: "4")),
        .deleteModel(ModelVersion(name: "a", version: "4")),
        .deleteModel(ModelVersion(name: "b", version: "1")),
        .deleteApplication(name: "gone"),
        .registerApplication(
            Application(
                name: "learns", inputType: .float64, defaultOutput: "", latencySLO: .seconds(1),
                selection: SelectionSettings(
                    policy: PolicyDescription("weighted", ["a": .number(0.1), "日本": .text("\"x\"")]), loss: .log,
                    minConfidence: 0.6, shadows: ["a", "c"]))),
        .setApplicationOptions(name: "digits", ApplicationOptions(policy: PolicyDescription("exp3"), shadows: ["a"])),
        .setApplicationOptions(name: "digits", ApplicationOptions(loss: .squared, minConfidence: 1)),
        .setApplicationOptions(
            name: "digits", ApplicationOptions(latencySLO: .microseconds(1_234_567), defaultOutput: "\"ü\"\n")),
        .setModelOptions(
            ModelVersion(name: "c", version: "2"),
            ModelOptions(limit: .aimd(increase: 3, backoff: 0.25), maxDelay: .microseconds(7))),
        .setModelOptions(
            ModelVersion(name: "c", version: "3"), ModelOptions(cachesPredictions: false, labels: ["\"x"])),
        .setModelOptions(ModelVersion(name: "c", version: "1"), ModelOptions(limit: .fixed(9), maxBatch: 99)),
        // What leads to a version that becomes current because its obstacle goes.
        .registerModel(makeModel("d", inputType: .string)), .registerModel(makeModel("d", version: "2")),
        .registerApplication(
            Application(
                name: "obstacle", inputType: .float64, defaultOutput: "", latencySLO: .seconds(1), linkedModels: ["d"])),
        .deleteModel(ModelVersion(name: "d", version: "2")),
        .deleteApplication(name: "obstacle"),
    ]

    private func fill(_ store: SQLiteCatalogStore) throws -> Catalog {
        var catalog = Catalog()
        for change in Self.changes {
            try store.save(catalog.perform(change))
            #expect(try store.load() == catalog, "after \(change)")
        }
        return catalog
    }

    @Test("A new store is empty")
    func startsEmpty() throws {
        #expect(try SQLiteCatalogStore(path: path).load() == Catalog())
    }

    @Test("After every kind of change the store holds what the catalog holds")
    func savesEveryChange() throws {
        let catalog = try fill(SQLiteCatalogStore(path: ":memory:"))
        #expect(catalog.applications["digits"]?.linkedModels == ["a", "b"])
        #expect(catalog.currentVersions == ["a": "3", "c": "3", "d": "1"])
        #expect(catalog.applications["digits"]?.latencySLO == .microseconds(1_234_567))
        #expect(catalog.applications["digits"]?.defaultOutput == "\"ü\"\n")
        #expect(catalog.applications["digits"]?.overload == .reject)
        #expect(
            catalog.applications["digits"]?.selection
                == SelectionSettings(
                    policy: PolicyDescription("exp3"), loss: .squared, minConfidence: 1, shadows: ["a"]))
    }

    @Test("Everything is there again after a restart")
    func survivesRestart() throws {
        let store = try SQLiteCatalogStore(path: path)
        let catalog = try fill(store)
        try store.close()
        #expect(try SQLiteCatalogStore(path: path).load() == catalog)
    }

    @Test("What was saved is in the files before the store is closed, for a process that is killed")
    func survivesKill() throws {
        let store = try SQLiteCatalogStore(path: path)
        let catalog = try fill(store)
        let copy = folder.path("copy.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        try FileManager.default.copyItem(atPath: path + "-wal", toPath: copy + "-wal")
        #expect(try SQLiteCatalogStore(path: copy).load() == catalog)
        #expect(try store.load() == catalog)
    }

    @Test("What was saved is on the disk before anybody hears of it")
    func waitsForTheDisk() throws {
        let store = try SQLiteCatalogStore(path: path)
        // 2 is FULL: the log is synchronised at each commit, and not only where it goes into the file.
        #expect(try store.queue.read { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") } == 2)
        #expect(try store.queue.read { db in try String.fetchOne(db, sql: "PRAGMA journal_mode") } == "wal")
    }

    @Test("A log that could not go into the file is named once the store is closed, one that could is gone")
    func namesTheLogThatIsLeft() throws {
        let store = try SQLiteCatalogStore(path: path)
        try store.save([.registerApplication(makeApplication())])
        try store.close()
        #expect(store.leftLog == nil)
        try Data([1]).write(to: URL(fileURLWithPath: path + "-wal"))
        #expect(store.leftLog == path + "-wal")
    }

    @Test("A path that begins as a URI does is that of a file, which keeps what is saved")
    func takesNoURI() throws {
        // Only a path without folders begins so.
        let path = "file:catalog-\(UInt64.random(in: 0 ... .max))?mode=memory"
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let store = try SQLiteCatalogStore(path: path)
        let change = CatalogChange.registerApplication(makeApplication())
        try store.save([change])
        try store.close()
        #expect(try SQLiteCatalogStore(path: path).load().applications.keys.sorted() == ["digits"])
    }

    @Test("Two stores in memory are two")
    func keepsMemoryApart() throws {
        _ = try fill(SQLiteCatalogStore(path: ":memory:"))
        #expect(try SQLiteCatalogStore(path: ":memory:").load() == Catalog())
    }

    @Test("A store is open once")
    func locks() throws {
        let store = try SQLiteCatalogStore(path: path)
        #expect(throws: CatalogStoreError(.inUse, "the store '\(path)' is in use by another process")) {
            try SQLiteCatalogStore(path: path, lockTimeout: .zero)
        }
        #expect(try store.load() == Catalog())
    }

    @Test("A full disk is named, and leaves the store as it was")
    func reportsFullDisk() throws {
        let store = try SQLiteCatalogStore(path: path, lockTimeout: .zero, maximumPageCount: 1)
        let output = String(repeating: "x", count: 1 << 20)
        let change = CatalogChange.registerApplication(
            Application(name: "a", inputType: .bytes, defaultOutput: output, latencySLO: .seconds(1)))
        #expect(throws: CatalogStoreError(.full, "the store '\(path)' cannot grow: the disk is full")) {
            try store.save([change])
        }
        #expect(try store.load() == Catalog())
    }

    @Test("A change that fails halfway leaves nothing behind")
    func isAtomic() throws {
        let store = try SQLiteCatalogStore(path: path)
        try store.save([.registerApplication(makeApplication())])
        // The catalog would refuse this before it came here.
        #expect(throws: CatalogStoreError.self) {
            try store.save([.linkModels(application: "digits", models: ["a", "b", "a"])])
        }
        #expect(try store.load().applications["digits"]?.linkedModels == [])
    }

    @Test(
        "A file that is no database is refused and stays as it is",
        arguments: ["xy", String(repeating: "text ", count: 99)])
    func refusesOtherFiles(content: String) throws {
        try content.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: path) }
        #expect(error?.kind == .notADatabase)
        #expect(error?.message == "the store '\(path)' is no SQLite database; name another file")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
    }

    @Test("A database of another program is refused")
    func refusesOtherDatabases() throws {
        try SQLiteCatalogStore(path: path).close()
        // SQLite's header holds the application's number from byte 68 on.
        let url = URL(fileURLWithPath: path)
        var bytes = try Data(contentsOf: url)
        bytes.replaceSubrange(68..<72, with: [1, 2, 3, 4])
        try bytes.write(to: url)
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: path) }
        #expect(error?.kind == .foreign)
        #expect(error?.message == "the store '\(path)' is a database of another program; name another file")
    }

    @Test("So is one whose program left no mark on it, and it stays as it is")
    func refusesUnmarkedDatabases() throws {
        let other = try DatabaseQueue(path: path)
        try other.write { db in try db.execute(sql: "CREATE TABLE diary (day TEXT)") }
        try other.close()
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: path) }
        #expect(error?.kind == .foreign)
        let queue = try DatabaseQueue(path: path)
        #expect(try queue.read { db in try Int.fetchOne(db, sql: "PRAGMA application_id") } == 0)
        #expect(try queue.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") } == 1)
    }

    @Test("A path where no file can be is refused", arguments: ["missing/catalog.sqlite", "."])
    func refusesImpossiblePaths(name: String) throws {
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: folder.path(name)) }
        #expect(error?.kind == .cannotOpen)
        #expect(error?.message.contains(name == "." ? "is a folder; name a file in it" : "cannot be opened") == true)
    }

    @Test("A store that is damaged is told what belongs to the old file, and goes before a copy is put back")
    func reportsDamage() throws {
        let store = try SQLiteCatalogStore(path: path)
        _ = try fill(store)
        try store.close()
        let url = URL(fileURLWithPath: path)
        var bytes = try Data(contentsOf: url)
        bytes.replaceSubrange(1024..., with: [UInt8](repeating: 0xFF, count: bytes.count - 1024))
        try bytes.write(to: url)
        try Data("of another file".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: path).load() }
        #expect(error?.kind == .corrupt)
        #expect(error?.message.hasPrefix("the store '\(path)' is damaged (") == true)
        #expect(
            error?.message.hasSuffix(
                "; to put a copy back, first remove '\(path)-wal', where there is one: it belongs to the old file")
                == true)
    }

    @Test("A store that this user may not read says whose it is", .enabled(if: geteuid() != 0))
    func reportsOwner() throws {
        try SQLiteCatalogStore(path: path).close()
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
        let error = #expect(throws: CatalogStoreError.self) { try SQLiteCatalogStore(path: path) }
        #expect(error?.kind == .cannotOpen)
        #expect(error?.message.contains("this user may not read '\(path)', which belongs to ") == true)
        #expect(error?.message.hasSuffix(" (mode 00)") == true)
    }

    @Test("An empty path is refused")
    func refusesEmptyPath() {
        #expect(throws: CatalogStoreError(.cannotOpen, "the path of the store is empty")) {
            try SQLiteCatalogStore(path: "")
        }
    }

    @Test("An empty file becomes a store")
    func takesEmptyFile() throws {
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(try SQLiteCatalogStore(path: path).load() == Catalog())
    }
}
