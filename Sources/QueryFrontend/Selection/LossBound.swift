/// How much one loss may count for, judged by those of an application's last few hundred pieces of feedback.
///
/// Labels come from outside: one in a wrong unit costs a million where others cost one, and would outweigh in every policy
/// what thousands have taught. So a loss counts for ten times the largest that was seen lately at most. Where losses really
/// grow, the bound follows: tenfold with every piece of feedback. Answers that cost nothing tell nothing of what is usual.
struct LossBound: Sendable {
    /// Pieces of feedback with a loss before it is known what is usual.
    private static let unbounded = 20
    private static let factor = 10.0
    /// What is left of the largest after a piece of feedback with a loss.
    private static let decay = 0.99

    /// The largest loss of each of the first pieces, until there are enough.
    private var first: [Double]? = []
    private var largest = 0.0

    /// Losses of one piece of feedback, as they count.
    ///
    /// - Parameter losses: of the models that it teaches, 0 or more.
    mutating func bounded(_ losses: [Double]) -> [Double] {
        let bounded = losses.map(self.bounded)
        guard let most = bounded.max(), most > 0 else { return bounded }
        guard var first else {
            largest = max(largest * Self.decay, most)
            return bounded
        }
        first.append(most)
        self.first = first
        if first.count == Self.unbounded {
            largest = Self.usualMost(of: first) ?? 0
            self.first = nil
        }
        return bounded
    }

    /// The largest loss seen lately; `nil` where nothing has cost anything so far.
    var largestSeen: Double? {
        first.map(Self.usualMost) ?? largest
    }

    private static func usualMost(of losses: [Double]) -> Double? {
        let losses = losses.sorted()
        guard let last = losses.last else { return nil }
        // One of them may have been beyond all measure itself.
        return min(last, losses[losses.count / 2] * factor)
    }

    /// A loss as it counts, without a trace here.
    func bounded(_ loss: Double) -> Double {
        first == nil ? min(loss, largest * Self.factor) : loss
    }
}
