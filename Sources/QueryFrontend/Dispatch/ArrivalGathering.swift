import ContainerRPC

/// Lets queries gather that no replica could take yet, so that the dispatch thread is not woken for each.
///
/// While all replicas of a model have as much in flight as they may, a query that comes can only be queued, or turned
/// away at the door: a millisecond later is as good. What a replica answers, and the time at which one can take more, wake
/// the thread as ever, and so does a query that somebody could take, or that is due soon. Where an answer is expected within
/// that millisecond, queries are taken up as they come: then less is to be done when it is there.
struct ArrivalGathering: Sendable {
    /// How long queries may wait, counted from when the last ones were taken.
    static let period = ArrivalGap.resolution

    /// When they are taken at the latest.
    let end: MonotonicTime
    /// When a replica of each model is expected to take a batch, by the handles' indices.
    private let openings: [MonotonicTime]

    /// `nil` where nothing has been taken for so long that the next query may well be the only one, or none would be held.
    ///
    /// - Parameter models: those that are in use, by the handles' indices.
    init?(lastTaken: MonotonicTime?, openings: [MonotonicTime], models: [Int], now: MonotonicTime) {
        guard let end = lastTaken.map({ $0 + Self.period }), end > now, models.contains(where: { openings[$0] > end })
        else { return nil }
        self.end = end
        self.openings = openings
    }

    /// Whether what has come can wait until the end.
    func mayHold(_ submission: Submission) -> Bool {
        guard let model = submission.model, !submission.selects, openings.indices.contains(model.index) else {
            return false
        }
        return openings[model.index] > end && submission.deadline > end
    }
}
