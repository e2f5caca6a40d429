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

    /// Feedback has judged an answer of it.
    mutating func note(loss: Double) {
        // It can be shown as JSON whatever labels came: a sum that is not finite could not.
        lossSum = min(LossStatistics.largest, lossSum + loss)
        lossCount += 1
    }

    /// What an answer of it has cost on average; `nil` before the first feedback.
    package var meanLoss: Double? { lossCount > 0 ? lossSum / Double(lossCount) : nil }
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
