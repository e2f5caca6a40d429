import ContainerRPC

/// Numbers for the names of applications and model versions. A name keeps its number for the process's life.
package final class Handles: Sendable {
    private struct Tables {
        var models: [ModelVersion: ModelHandle] = [:]
        var applications: [String: ApplicationHandle] = [:]
    }

    private let tables = Locked(Tables())

    package init() {}

    package func handle(for model: ModelVersion) -> ModelHandle {
        tables.withLock { tables in
            let fresh = ModelHandle(index: tables.models.count)
            return tables.models[model, inserting: fresh]
        }
    }

    /// The number of a model version that has one.
    func knownHandle(for model: ModelVersion) -> ModelHandle? {
        tables.withLock { $0.models[model] }
    }

    package func handle(forApplication name: String) -> ApplicationHandle {
        tables.withLock { tables in
            let fresh = ApplicationHandle(index: tables.applications.count)
            return tables.applications[name, inserting: fresh]
        }
    }
}

extension Dictionary {
    /// The value of a key, which gets this one if it has none.
    fileprivate subscript(key: Key, inserting fresh: Value) -> Value {
        mutating get {
            if let value = self[key] { return value }
            self[key] = fresh
            return fresh
        }
    }
}
