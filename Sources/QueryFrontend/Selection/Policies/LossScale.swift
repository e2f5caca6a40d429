/// Brings losses into 0 to 1 for policies that need them there.
///
/// A zero-one loss is there already. Others are divided by the largest one seen lately, which decays by a hundredth with
/// every feedback: about the largest of the last few hundred. An outlier a thousand times as large as the rest makes all
/// others look small, and so slows learning, for about 700 feedbacks; then it is forgotten.
enum LossScale {
    /// What is left of the largest loss after a feedback.
    static let decay = 0.99

    /// Takes notice of a feedback's losses, before the first of them is scaled.
    ///
    /// - Parameter largest: the largest loss seen lately; `nil` before the first, and where losses are zero-one.
    /// - Parameter decay: what is left of it after a feedback.
    static func follow(_ feedback: SelectionFeedback, largest: inout Double?, decay: Double = Self.decay) {
        guard feedback.loss != .zeroOne else { return }
        let now = feedback.observations.reduce((largest ?? 0) * decay) { max($0, min(LossStatistics.largest, $1.loss)) }
        // Below this a number is hardly one, and nothing that was lost is worth telling apart.
        largest = now < .leastNormalMagnitude ? 0 : now
    }

    /// The loss as a share of the largest.
    static func scaled(_ cost: Double, of loss: Loss, largest: Double?) -> Double {
        guard loss != .zeroOne else { return min(1, max(0, cost)) }
        guard let largest, largest > 0 else { return 0 }
        return min(1, max(0, cost / largest))
    }
}
