/// Clipper's own policy: the first linked model that has a live replica answers.
public struct DefaultOutputSelectionPolicy: SelectionPolicy {
    /// The policy; there is nothing to set.
    public init() {}

    public func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(0)
    }

    public func weights(of models: [String], state: NoState) -> [Double] {
        models.indices.map { $0 == 0 ? 1 : 0 }
    }
}
