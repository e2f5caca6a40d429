/// What can be expected of a model's replicas.
package enum Serving: Sendable {
    /// None takes what comes.
    case none
    /// Those that do have not answered for long.
    case silent
    /// They answer, as far as is known.
    case answering
}

/// What can be expected of all models' replicas: what a policy needs to know of the scheduler.
package struct ServedModels: Hashable, Sendable {
    private var serving: [Serving] = []

    mutating func note(_ model: ModelHandle, _ serving: Serving) {
        while self.serving.count <= model.index { self.serving.append(.none) }
        if self.serving[model.index] != serving { self.serving[model.index] = serving }
    }

    package func serving(of model: ModelHandle) -> Serving {
        serving.indices.contains(model.index) ? serving[model.index] : .none
    }
}
