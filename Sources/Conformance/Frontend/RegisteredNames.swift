import ContainerRPC

/// What a play has registered with the frontend: it is deleted by the play, or by who ends a kit that is interrupted.
final class RegisteredNames: Sendable {
    /// The names of the application and of the model.
    let application: String
    let model: String
    static let modelVersion = "1"

    /// Something that is registered.
    enum Part {
        case application, model
    }

    private struct State {
        var isOver = false
        var parts: Set<Part> = []
    }

    /// Held while the frontend is asked, lest something is registered after it was deleted.
    private let state = Locked(State())

    /// - Parameter suffix: what tells these names from those of other plays.
    init(suffix: String) {
        application = "conformance-app-\(suffix)"
        model = "conformance-model-\(suffix)"
    }

    /// - Parameter ask: asks the frontend for it; it counts as registered also where that fails.
    /// - Throws: what `ask` throws; `CancellationError` after ``delete(_:)``.
    func register(_ part: Part, _ ask: () throws -> Void) throws {
        try state.withLock { state in
            guard !state.isOver else { throw CancellationError() }
            state.parts.insert(part)
            try ask()
        }
    }

    /// Deletes what is registered, as far as it goes. Nothing is registered after that.
    ///
    /// - Parameter ask: asks the frontend's administration for an operation.
    func delete(_ ask: (_ operation: String, _ body: [String: JSONValue]) throws -> Void) {
        state.withLock { state in
            state.isOver = true
            if state.parts.remove(.application) != nil { try? ask("delete_app", ["name": .string(application)]) }
            if state.parts.remove(.model) != nil {
                try? ask(
                    "delete_versioned_model",
                    ["model_name": .string(model), "model_version": .string(Self.modelVersion)])
            }
        }
    }
}
