/// The state of a policy that learns nothing.
public struct NoState: Codable, Sendable, Hashable {
    /// The only one there is.
    public init() {}
}

/// Clipper's own policy: the first linked model that has a live replica answers.
public struct DefaultOutputSelectionPolicy: SelectionPolicy {
    /// The policy; there is nothing to set.
    public init() {}

    public func initialState() -> NoState { NoState() }

    public func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(0)
    }

    public func observe(_ feedback: SelectionFeedback, state: inout NoState) {}

    public func weights(of models: [String], state: NoState) -> [Double] {
        models.indices.map { $0 == 0 ? 1 : 0 }
    }
}
