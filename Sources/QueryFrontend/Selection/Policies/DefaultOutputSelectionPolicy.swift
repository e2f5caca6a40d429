/// Clipper's own policy: the first linked model that has a live replica answers.
struct DefaultOutputSelectionPolicy: SelectionPolicy {
    func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(0)
    }

    func weights(of models: [String], state: NoState) -> [Double] {
        models.indices.map { $0 == 0 ? 1 : 0 }
    }
}
