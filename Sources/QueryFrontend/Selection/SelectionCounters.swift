/// What has happened to one of an application's models since the frontend's start.
package struct SelectionCounters: Hashable, Sendable {
    /// Queries that it was chosen to answer.
    package var chosen = 0
    /// Answers of it that were combined into an output.
    package var combined = 0
    /// Queries that were answered without it because it was too slow: by their deadline it had not answered, or it was
    /// not asked any more because it could not have.
    package var straggled = 0
    /// As a shadow: answers that agreed with what the application was answered.
    package var shadowAgreed = 0
    /// As a shadow: answers that did not.
    package var shadowDisagreed = 0
    /// What its answers have cost, as feedback has told.
    package var lossSum = 0.0
    /// Feedback that judged an answer of it.
    package var lossCount = 0
    /// The same since the application has had its policy and its loss.
    private var meanSum = 0.0
    private var meanCount = 0

    package init(
        chosen: Int = 0, combined: Int = 0, straggled: Int = 0, shadowAgreed: Int = 0, shadowDisagreed: Int = 0,
        lossSum: Double = 0, lossCount: Int = 0
    ) {
        self.chosen = chosen
        self.combined = combined
        self.straggled = straggled
        self.shadowAgreed = shadowAgreed
        self.shadowDisagreed = shadowDisagreed
        self.lossSum = lossSum
        self.lossCount = lossCount
        (meanSum, meanCount) = (lossSum, lossCount)
    }

    /// Feedback has judged an answer of it.
    mutating func note(loss: Double) {
        // It can be shown as JSON whatever labels came: a sum that is not finite could not.
        lossSum = min(LossStatistics.largest, lossSum + loss)
        lossCount += 1
        meanSum = min(LossStatistics.largest, meanSum + loss)
        meanCount += 1
    }

    /// Losses are measured otherwise from now on, or another policy chooses: a mean of both would be none.
    mutating func restartMean() {
        (meanSum, meanCount) = (0, 0)
    }

    /// What an answer of it has cost on average, with the application's policy and its loss; `nil` before the first
    /// feedback.
    package var meanLoss: Double? { meanCount > 0 ? meanSum / Double(meanCount) : nil }
}

/// What has become of an application's feedback since the frontend's start.
package struct FeedbackCounters: Hashable, Sendable {
    /// Feedback that was learned from.
    package var counted = 0
    /// Feedback that had counted already.
    package var duplicate = 0
    /// Feedback for queries that are unknown, or too old.
    package var unknownQuery = 0
    /// Feedback that nothing could be learned from, or whose state could not be kept.
    package var failed = 0
}
