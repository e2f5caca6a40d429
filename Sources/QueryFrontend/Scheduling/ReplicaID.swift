/// One registration of a container, by its number in the frontend; never used again.
struct ReplicaID: Hashable, Sendable {
    var number: Int
}
