import ContainerRPC
import Foundation
import GRDB

/// The catalog from the rows of the store; what no change could have written is refused as corrupt.
extension SQLiteCatalogStore {
    /// Reads all tables.
    static func readCatalog(_ db: Database, path: String) throws -> Catalog {
        var models: [ModelVersion: Model] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT * FROM model") {
            let id = ModelVersion(
                name: try row.decode(String.self, forColumn: "name"),
                version: try row.decode(String.self, forColumn: "version"))
            let labels = try row.decode(String.self, forColumn: "labels")
            models[id] = Model(
                id: id,
                inputType: try inputType(in: row, path: path),
                labels: try JSONDecoder().decode([String].self, from: Data(labels.utf8)),
                containerName: try row.decode(String.self, forColumn: "container_name"),
                modelDataPath: try row.decode(String.self, forColumn: "data_path"),
                batching: try batching(of: id, in: row, path: path),
                cachesPredictions: try row.decode(Bool.self, forColumn: "caches_predictions"),
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
                linkedModels: links[name] ?? [],
                overload: try overload(of: name, in: row, path: path),
                hedging: try hedging(of: name, in: row, path: path),
                selection: try selection(of: name, in: row, path: path))
        }
        return Catalog(applications: applications, models: models, currentVersions: currentVersions)
    }

    private static func batching(of model: ModelVersion, in row: Row, path: String) throws -> Batching {
        guard let batchSize = BatchSize(wireValue: try row.decode(Int.self, forColumn: "batch_size")) else {
            throw CatalogStoreError(.corrupt, "the store '\(path)' holds a batch size of \(model) that is none")
        }
        let description = BatchingDescription(
            policy: try row.decode(String.self, forColumn: "batch_policy"),
            increase: try row.decode(Int?.self, forColumn: "aimd_increase"),
            backoff: try row.decode(Double?.self, forColumn: "aimd_backoff"),
            maxDelayMicroseconds: try row.decode(Int.self, forColumn: "max_delay_micros"),
            maxBatch: try row.decode(Int.self, forColumn: "max_batch"))
        do {
            return try description.batching(beside: batchSize)
        } catch {
            throw CatalogStoreError(.corrupt, "the store '\(path)' holds settings of \(model) that are none: \(error)")
        }
    }

    private static func overload(of application: String, in row: Row, path: String) throws -> OverloadAnswer {
        let name = try row.decode(String.self, forColumn: "overload")
        guard let overload = OverloadAnswer(rawValue: name) else {
            throw CatalogStoreError(
                .corrupt, "the store '\(path)' holds an unknown answer to overload of '\(application)', '\(name)'")
        }
        return overload
    }

    private static func hedging(of application: String, in row: Row, path: String) throws -> Hedging? {
        guard let quantile = try row.decode(Double?.self, forColumn: "hedge_quantile") else { return nil }
        let hedging = Hedging(
            quantile: quantile, maxExtraWork: try row.decode(Double.self, forColumn: "hedge_max_extra_work"))
        do {
            try hedging.check()
        } catch {
            throw CatalogStoreError(
                .corrupt, "the store '\(path)' holds settings of '\(application)' that are none: \(error)")
        }
        return hedging
    }

    private static func selection(of application: String, in row: Row, path: String) throws -> SelectionSettings {
        let lossName = try row.decode(String.self, forColumn: "loss")
        guard let loss = Loss(rawValue: lossName) else {
            throw CatalogStoreError(
                .corrupt, "the store '\(path)' holds an unknown loss of '\(application)', '\(lossName)'")
        }
        do {
            let parameters = try row.decode(String.self, forColumn: "policy_parameters")
            let shadows = try row.decode(String.self, forColumn: "shadows")
            let policy = PolicyDescription(
                try row.decode(String.self, forColumn: "policy"),
                try JSONDecoder().decode([String: PolicyDescription.Value].self, from: Data(parameters.utf8)))
            let selection = SelectionSettings(
                policy: policy, loss: loss, minConfidence: try row.decode(Double.self, forColumn: "min_confidence"),
                shadows: try JSONDecoder().decode([String].self, from: Data(shadows.utf8)))
            try selection.check()
            return selection
        } catch {
            throw CatalogStoreError(
                .corrupt, "the store '\(path)' holds settings of '\(application)' that are none: \(error)")
        }
    }

    private static func inputType(in row: Row, path: String) throws -> InputType {
        let name = try row.decode(String.self, forColumn: "input_type")
        guard let type = InputType(name: name) else {
            throw CatalogStoreError(.corrupt, "the store '\(path)' holds an unknown input type, '\(name)'")
        }
        return type
    }
}
