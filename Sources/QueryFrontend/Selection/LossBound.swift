/// How much one loss may count for, judged by those of an application's last few hundred pieces of feedback.
///
/// Labels come from outside: one in a wrong unit costs a million where others cost one, and would outweigh in every policy
/// what thousands have taught. So a loss counts for ten times the largest that was seen lately at most. Where losses really
/// grow, the bound follows: tenfold with every piece of feedback.
struct LossBound: Sendable {
    /// Pieces of feedback before anything is known of what is usual.
    private static let unbounded = 20
    private static let factor = 10.0
    /// What is left of the largest after a piece of feedback.
    private static let decay = 0.99

    private var count = 0
    private var largest = 0.0

    /// Losses of one piece of feedback, as they count.
    ///
    /// - Parameter losses: of the models that it judges, 0 or more.
    mutating func bounded(_ losses: [Double]) -> [Double] {
        let bounded = losses.map(self.bounded)
        count = min(count + 1, Self.unbounded)
        largest = bounded.reduce(largest * Self.decay, max)
        return bounded
    }

    /// A loss as it counts, without a trace here.
    func bounded(_ loss: Double) -> Double {
        // Where all was right so far, nothing tells what is much.
        guard count >= Self.unbounded, largest > 0 else { return loss }
        return min(loss, largest * Self.factor)
    }
}
