import ContainerRPC
import Foundation
import GRDB

/// Keeps the catalog in one SQLite file, or in memory for `:memory:`.
///
/// A change is on the disk when ``save(_:)`` returns: write-ahead log, `synchronous = FULL`. The file stays locked while
/// the store is open, because two frontends with a catalog of their own in memory would overwrite each other.
public struct SQLiteCatalogStore: CatalogStore {
    private let path: String
    private let queue: DatabaseQueue

    /// Opens the store, creating the file where there is none and migrating an older one.
    ///
    /// - Parameter path: The file's path; its folder must exist. `:memory:` keeps nothing across restarts.
    /// - Throws: ``CatalogStoreError``.
    public init(path: String) throws {
        try self.init(path: path, lockTimeout: .seconds(2))
    }

    /// - Parameters:
    ///   - lockTimeout: How long to wait for another process to let go of the file, as on a quick restart.
    ///   - maximumPageCount: The most pages that the file may have, as if the disk were full beyond it.
    init(path: String, lockTimeout: Duration, maximumPageCount: Int? = nil) throws {
        guard !path.isEmpty else { throw CatalogStoreError(.cannotOpen, "the path of the store is empty") }
        self.path = path
        do {
            let isFile = path != ":memory:"
            var configuration = GRDB.Configuration()
            configuration.label = "catalog"
            configuration.busyMode = .timeout(lockTimeout / .seconds(1))
            configuration.prepareDatabase { db in
                guard isFile else { return }
                // Exclusive before the first access, so that the log needs no shared memory.
                try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
                try db.execute(sql: "PRAGMA journal_mode = WAL")
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                try SQLiteCatalogSchema.claim(db, path: path)
            }
            try SQLiteCatalogSchema.migrator.migrate(queue)
            if let maximumPageCount {
                try queue.writeWithoutTransaction { db in
                    try db.execute(sql: "PRAGMA max_page_count = \(maximumPageCount)")
                }
            }
        } catch {
            throw Self.storeError(error, path: path, whileOpening: true)
        }
    }

    public func load() throws -> Catalog {
        do {
            return try queue.read { db in try Self.readCatalog(db, path: path) }
        } catch {
            throw Self.storeError(error, path: path)
        }
    }

    public func save(_ change: CatalogChange) throws {
        do {
            try queue.write { db in try Self.write(change, to: db) }
        } catch {
            throw Self.storeError(error, path: path)
        }
    }

    /// Closes the file, which puts the log's content into it. The store is of no use afterwards.
    func close() throws {
        try queue.close()
    }
}

// MARK: - Writing

extension SQLiteCatalogStore {
    private static func write(_ change: CatalogChange, to db: Database) throws {
        switch change {
        case .registerApplication(let application):
            try db.execute(
                sql: """
                    INSERT INTO application (name, input_type, default_output, latency_slo_micros) VALUES (?, ?, ?, ?)
                    """,
                arguments: [
                    application.name, application.inputType.name, application.defaultOutput,
                    application.latencySLO.wholeMicroseconds,
                ])
            try insertLinks(application: application.name, models: application.linkedModels, into: db)
        case .deleteApplication(let name):
            try db.execute(sql: "DELETE FROM application WHERE name = ?", arguments: [name])
        case .registerModel(let model):
            try insert(model, into: db)
            try setCurrentVersion(model.id, in: db)
        case .deleteModel(let id, let successor):
            try db.execute(
                sql: "DELETE FROM current_version WHERE name = ? AND version = ?", arguments: [id.name, id.version])
            if let successor {
                try setCurrentVersion(ModelVersion(name: id.name, version: successor), in: db)
            }
            try db.execute(
                sql: "DELETE FROM model WHERE name = ? AND version = ?", arguments: [id.name, id.version])
        case .setCurrentVersion(let id):
            try setCurrentVersion(id, in: db)
        case .linkModels(let application, let models):
            try insertLinks(application: application, models: models, into: db)
        case .unlinkModels(let application, let models):
            for model in models {
                try db.execute(
                    sql: "DELETE FROM link WHERE application = ? AND model = ?", arguments: [application, model])
            }
        }
    }

    private static func insert(_ model: Model, into db: Database) throws {
        let labels = String(decoding: try JSONEncoder().encode(model.labels), as: UTF8.self)
        try db.execute(
            sql: """
                INSERT INTO model
                    (name, version, input_type, labels, container_name, data_path, batch_size, registration)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                model.id.name, model.id.version, model.inputType.name, labels, model.containerName,
                model.modelDataPath, model.batchSize.wireValue, model.registration,
            ])
    }

    private static func setCurrentVersion(_ id: ModelVersion, in db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO current_version (name, version) VALUES (?, ?)",
            arguments: [id.name, id.version])
    }

    private static func insertLinks(application: String, models: [String], into db: Database) throws {
        for model in models {
            try db.execute(
                sql: "INSERT INTO link (application, model) VALUES (?, ?)", arguments: [application, model])
        }
    }
}

// MARK: - Reading

extension SQLiteCatalogStore {
    private static func readCatalog(_ db: Database, path: String) throws -> Catalog {
        var models: [ModelVersion: Model] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT * FROM model") {
            let id = ModelVersion(
                name: try row.decode(String.self, forColumn: "name"),
                version: try row.decode(String.self, forColumn: "version"))
            let labels = try row.decode(String.self, forColumn: "labels")
            guard let batchSize = BatchSize(wireValue: try row.decode(Int.self, forColumn: "batch_size")) else {
                throw CatalogStoreError(.corrupt, "the store '\(path)' holds a batch size of \(id) that is none")
            }
            models[id] = Model(
                id: id,
                inputType: try inputType(in: row, path: path),
                labels: try JSONDecoder().decode([String].self, from: Data(labels.utf8)),
                containerName: try row.decode(String.self, forColumn: "container_name"),
                modelDataPath: try row.decode(String.self, forColumn: "data_path"),
                batchSize: batchSize,
                registration: try row.decode(Int.self, forColumn: "registration"))
        }

        var currentVersions: [String: String] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT name, version FROM current_version") {
            let name = try row.decode(String.self, forColumn: "name")
            currentVersions[name] = try row.decode(String.self, forColumn: "version")
        }

        var links: [String: [String]] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT application, model FROM link ORDER BY position") {
            let application = try row.decode(String.self, forColumn: "application")
            links[application, default: []].append(try row.decode(String.self, forColumn: "model"))
        }

        var applications: [String: Application] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT * FROM application") {
            let name = try row.decode(String.self, forColumn: "name")
            applications[name] = Application(
                name: name,
                inputType: try inputType(in: row, path: path),
                defaultOutput: try row.decode(String.self, forColumn: "default_output"),
                latencySLO: .microseconds(try row.decode(Int64.self, forColumn: "latency_slo_micros")),
                linkedModels: links[name] ?? [])
        }
        return Catalog(applications: applications, models: models, currentVersions: currentVersions)
    }

    private static func inputType(in row: Row, path: String) throws -> InputType {
        let name = try row.decode(String.self, forColumn: "input_type")
        guard let type = InputType(name: name) else {
            throw CatalogStoreError(.corrupt, "the store '\(path)' holds an unknown input type, '\(name)'")
        }
        return type
    }
}

// MARK: - Errors

extension SQLiteCatalogStore {
    /// Says in the operator's terms what SQLite reports in its own.
    private static func storeError(
        _ error: any Error, path: String, whileOpening: Bool = false
    ) -> CatalogStoreError {
        if let error = error as? CatalogStoreError { return error }
        guard let error = error as? DatabaseError else {
            return CatalogStoreError(.corrupt, "the store '\(path)' holds what this program did not write: \(error)")
        }
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_NOTADB:
            return CatalogStoreError(.notADatabase, "the store '\(path)' is no SQLite database; name another file")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return CatalogStoreError(
                .cannotOpen,
                "the store '\(path)' cannot be opened (\(reason)); its folder must exist and allow writing")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return CatalogStoreError(.inUse, "the store '\(path)' is in use by another process")
        case .SQLITE_READONLY:
            return CatalogStoreError(.readOnly, "the store '\(path)' cannot be written (\(reason))")
        case .SQLITE_FULL:
            return CatalogStoreError(.full, "the store '\(path)' cannot grow: the disk is full")
        case .SQLITE_CORRUPT, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH:
            return CatalogStoreError(.corrupt, "the store '\(path)' is damaged (\(reason))")
        default:
            let action = whileOpening ? "opened" : "read or written"
            return CatalogStoreError(.other, "the store '\(path)' cannot be \(action) (\(reason))")
        }
    }
}
