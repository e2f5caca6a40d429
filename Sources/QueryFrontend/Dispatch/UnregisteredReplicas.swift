import ContainerRPC

/// Replicas of models that nobody has registered.
///
/// The scheduler hears of them when somebody does. Until then their model has no handle: a name that a container says
/// takes no memory once the container is gone, whatever names come.
struct UnregisteredReplicas {
    struct Waiting {
        var id: ReplicaID
        var registration: Registration
        var isDraining = false
    }

    private var waiting: [ReplicaID: Waiting] = [:]

    mutating func add(_ id: ReplicaID, _ registration: Registration) {
        waiting[id] = Waiting(id: id, registration: registration)
    }

    /// It is gone, or about to go.
    mutating func remove(_ id: ReplicaID) {
        waiting[id] = nil
    }

    mutating func setDraining(_ isDraining: Bool, _ id: ReplicaID) {
        waiting[id]?.isDraining = isDraining
    }

    /// Takes those of a model that is registered now, in the order in which they came.
    mutating func take(of model: ModelVersion) -> [Waiting] {
        guard !waiting.isEmpty else { return [] }
        let taken = waiting.values.filter { $0.registration.model == model }.sorted { $0.id.number < $1.id.number }
        for replica in taken { waiting[replica.id] = nil }
        return taken
    }
}
