import ContainerRPC
import Foundation
import GRDB

/// Keeps the catalog in one SQLite file, or in memory for `:memory:`.
///
/// A change is on the disk when ``save(_:)`` returns: write-ahead log, `synchronous = FULL`. The file stays locked while
/// the store is open, because two frontends with a catalog of their own in memory would overwrite each other.
struct SQLiteCatalogStore: CatalogStore {
    /// The file's path, for messages.
    let path: String
    /// Where all of the file's readers and writers take their turn: nobody else can open it.
    let queue: DatabaseQueue

    /// Opens the store, creating the file where there is none and migrating an older one.
    ///
    /// - Parameter path: The file's path; its folder must exist. `:memory:` keeps nothing across restarts.
    /// - Throws: ``CatalogStoreError``.
    init(path: String) throws {
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
            // SQLite takes "file:…" for a URI, which may say that nothing is to be kept.
            let file = path.hasPrefix("file:") ? "./" + path : path
            queue = try DatabaseQueue(path: file, configuration: configuration)
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

    func load() throws -> Catalog {
        do {
            return try queue.read { db in try Self.readCatalog(db, path: path) }
        } catch {
            throw Self.storeError(error, path: path)
        }
    }

    func save(_ changes: [CatalogChange]) throws {
        do {
            for case .deleteApplication(let name) in changes { try forgetWhatWasLearned(by: name) }
            try queue.write { db in
                for change in changes { try Self.write(change, to: db) }
            }
        } catch {
            throw Self.storeError(error, path: path)
        }
    }

    /// A million users' states, or as many ids of feedback, take seconds to delete, and all other applications' feedback
    /// waits for the connection meanwhile: they go in pieces, before their application.
    private func forgetWhatWasLearned(by application: String) throws {
        let piece = 10_000
        for statement in [
            """
            DELETE FROM selection_state WHERE application = ?1 AND user IN (
                SELECT user FROM selection_state WHERE application = ?1 LIMIT ?2)
            """,
            """
            DELETE FROM feedback WHERE number IN (SELECT number FROM feedback WHERE application = ?1 LIMIT ?2)
            """,
        ] {
            var deleted: Int
            repeat {
                deleted = try queue.write { db in
                    try db.execute(sql: statement, arguments: [application, piece])
                    return db.changesCount
                }
            } while deleted == piece
        }
    }

    /// Closes the file, which puts the log's content into it. The store is of no use afterwards.
    func close() throws {
        try queue.close()
    }

    /// The log's path where its content is not all in the file, as on a full disk; once the store is closed.
    var leftLog: String? {
        let log = Self.log(of: path)
        let size = (try? FileManager.default.attributesOfItem(atPath: log))?[.size] as? Int ?? 0
        return size > 0 ? log : nil
    }
}

// MARK: - Writing

extension SQLiteCatalogStore {
    private static func write(_ change: CatalogChange, to db: Database) throws {
        switch change {
        case .registerApplication(let application):
            try db.execute(
                sql: """
                    INSERT INTO application
                        (name, input_type, default_output, latency_slo_micros, overload, hedge_quantile,
                        hedge_max_extra_work, policy, policy_parameters, loss, min_confidence, shadows)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    application.name, application.inputType.name, application.defaultOutput,
                    application.latencySLO.wholeMicroseconds, application.overload.rawValue,
                    application.hedging?.quantile, application.hedging?.maxExtraWork,
                    application.selection.policy.name, try json(application.selection.policy.parameters),
                    application.selection.loss.rawValue, application.selection.minConfidence,
                    try json(application.selection.shadows),
                ])
            try insertLinks(application: application.name, models: application.linkedModels, into: db)
        case .deleteApplication(let name):
            try db.execute(sql: "DELETE FROM application WHERE name = ?", arguments: [name])
        case .setApplicationOptions(let name, let options):
            try set(options, ofApplication: name, in: db)
        case .registerModel(let model):
            try insert(model, into: db)
            try setCurrentVersion(model.id, in: db)
        case .setModelOptions(let id, let options):
            try set(options, ofModel: id, in: db)
        case .deleteModel(let id):
            try db.execute(
                sql: "DELETE FROM current_version WHERE name = ? AND version = ?", arguments: [id.name, id.version])
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

    private static func set(_ options: ApplicationOptions, ofApplication name: String, in db: Database) throws {
        if let overload = options.overload {
            try db.execute(
                sql: "UPDATE application SET overload = ? WHERE name = ?", arguments: [overload.rawValue, name])
        }
        if let hedging = options.hedging?.hedging {
            try db.execute(
                sql: "UPDATE application SET hedge_quantile = ?, hedge_max_extra_work = ? WHERE name = ?",
                arguments: [hedging.quantile, hedging.maxExtraWork, name])
        } else if options.hedging != nil {
            try db.execute(
                sql: "UPDATE application SET hedge_quantile = NULL, hedge_max_extra_work = NULL WHERE name = ?",
                arguments: [name])
        }
        // What is not given is NULL here, and stays.
        try db.execute(
            sql: """
                UPDATE application SET
                    latency_slo_micros = coalesce(?, latency_slo_micros),
                    default_output = coalesce(?, default_output),
                    policy = coalesce(?, policy), policy_parameters = coalesce(?, policy_parameters),
                    loss = coalesce(?, loss), min_confidence = coalesce(?, min_confidence),
                    shadows = coalesce(?, shadows)
                WHERE name = ?
                """,
            arguments: [
                options.latencySLO?.wholeMicroseconds, options.defaultOutput,
                options.policy?.name, try options.policy.map { try json($0.parameters) }, options.loss?.rawValue,
                options.minConfidence, try options.shadows.map(json), name,
            ])
    }

    private static func set(_ options: ModelOptions, ofModel id: ModelVersion, in db: Database) throws {
        if let limit = options.limit {
            let batching = Batching(limit: limit)
            let parts = BatchingDescription(batching)
            try db.execute(
                sql: """
                    UPDATE model SET batch_size = ?, batch_policy = ?, aimd_increase = ?, aimd_backoff = ?
                    WHERE name = ? AND version = ?
                    """,
                arguments: [
                    batching.batchSize.wireValue, parts.policy, parts.increase, parts.backoff, id.name, id.version,
                ])
        }
        // What is not given is NULL here, and stays.
        try db.execute(
            sql: """
                UPDATE model SET
                    max_delay_micros = coalesce(?, max_delay_micros), max_batch = coalesce(?, max_batch),
                    caches_predictions = coalesce(?, caches_predictions), labels = coalesce(?, labels)
                WHERE name = ? AND version = ?
                """,
            arguments: [
                options.maxDelay?.wholeMicroseconds, options.maxBatch, options.cachesPredictions,
                try options.labels.map(json), id.name, id.version,
            ])
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func insert(_ model: Model, into db: Database) throws {
        let batching = BatchingDescription(model.batching)
        let labels = try json(model.labels)
        try db.execute(
            sql: """
                INSERT INTO model
                    (name, version, input_type, labels, container_name, data_path, batch_size, batch_policy,
                    aimd_increase, aimd_backoff, max_delay_micros, max_batch, caches_predictions, registration)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                model.id.name, model.id.version, model.inputType.name, labels, model.containerName,
                model.modelDataPath, model.batchSize.wireValue, batching.policy, batching.increase, batching.backoff,
                batching.maxDelayMicroseconds, batching.maxBatch, model.cachesPredictions, model.registration,
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
