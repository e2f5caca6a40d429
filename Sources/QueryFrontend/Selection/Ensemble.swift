import ContainerRPC

/// A query on its way to several models.
struct Ensemble: Sendable {
    /// One of the models.
    struct Part: Sendable {
        let model: Selector.LinkedModel
        /// `nil` for one that only watches.
        let probability: Double?
        /// `nil` until it comes.
        var outcome: Outcome?

        /// What the model answered.
        var output: ModelOutput? {
            if case .output(let bytes) = outcome { ModelOutput(bytes: bytes) } else { nil }
        }
    }

    /// What the answers are wanted for.
    enum Purpose: Sendable {
        case answer(queryID: UInt64)
        case feedback(SelectedFeedback)
    }

    let waiter: Waiter
    let user: String?
    let input: Payload
    let trace: QueryTrace?
    let purpose: Purpose
    /// The names of the models that could have been chosen: those that had a replica that answers (or, where none had, any replica),
    /// and did not turn the query away.
    var candidates: [String]
    /// Those that answer, then those that watch, then those that the query was passed on to.
    var parts: [Part]
    /// The places of those that answer.
    var memberPlaces: Range<Int>
    /// The candidates before the query was passed on for the first time; `nil` where it was not.
    var firstCandidates: [String]?
    /// Its application is gone: no feedback is for what it was asked.
    var isForgotten = false
    /// Members whose outcome has not come.
    var missingMembers: Int
    /// All parts whose outcome has not come.
    var missing: Int
    /// What was answered, once it was, for the watching to be compared with.
    var answer: ModelOutput?

    var members: ArraySlice<Part> { parts[memberPlaces] }

    /// Those that had turned the query away before it was passed on to the one that answers, or that it came back from.
    var turnedAway: [Part] {
        guard firstCandidates != nil else { return [] }
        return parts.indices.filter { !memberPlaces.contains($0) && parts[$0].probability != nil }.map { parts[$0] }
    }
}

extension Ensemble {
    /// All that it was passed on to have turned it away as well: it is as if it had not been passed on.
    mutating func comeBack() {
        guard let first = firstCandidates else { return }
        memberPlaces = 0..<1
        candidates = first
    }

    /// Why there is no answer, where there is none: that of the only member, or that the deadline has come, or that of
    /// the first.
    var failure: Outcome {
        let outcomes = members.compactMap(\.outcome)
        return outcomes.first { $0.defaultReason == .deadline } ?? outcomes.first ?? .defaultOutput(.noReplica)
    }
}
