/// Searches the highest rate that keeps the objective: doubles (or halves) until it lies between two rates, then bisects.
///
/// A rate that misses is tried once more, and counts as missed where it misses again: a pause of a machine, the generator's
/// among them, spoils a run, and would send the search to lower rates for good.
struct RateSearch: Equatable, Sendable {
    /// What came of a run at the rate that was to be tried.
    struct Step: Equatable, Sendable {
        /// Requests that were due.
        var requests: Int
        /// Those of them that were answered inside the SLO.
        var inside: Int
        /// Whether answers kept up with requests.
        var keepsUp = true
        /// How late the generator came to its requests: the 99th percentile.
        var lag = Duration.zero
    }

    /// What a step says of its rate.
    enum Verdict: Equatable, Sendable {
        case kept
        /// Missed for the first time: it is tried again.
        case triedAgain(isLate: Bool)
        /// Missed, and so did the run before, or every request; `isLate`: the generator was late in this one.
        case missed(isLate: Bool)
    }

    /// What the search is for.
    struct Goal: Equatable, Sendable {
        /// The share of all requests that has to be answered within the objective.
        var share: Double
        /// The objective.
        var slo: Duration

        /// Requests that a step needs, so that about ten of them may miss: fewer tell little of such a share. `nil` for
        /// all: no number of requests tells that none will miss.
        var requestsNeeded: Int? {
            share < 1 ? Int((10 / (1 - share) - 1e-6).rounded(.up)) : nil
        }

        /// Whether enough of so many requests were answered within the objective; of none that cannot be said.
        func isKept(inside: Int, of requests: Int) -> Bool {
            // As 0.55 × 100 is a little more than 55.
            requests > 0 && Double(inside) >= share * Double(requests) - 1e-6
        }

        /// Whether so many requests tell of the share: a tenth fewer do, as arrivals are random.
        fileprivate func isTold(by requests: Int) -> Bool {
            requestsNeeded.map { 10 * requests >= 9 * $0 } ?? false
        }
    }

    /// Rates below one request per second are not tried.
    static let lowestRate = 1.0
    /// A step is made longer than usual to get the requests that it needs, but not longer than this.
    static let longestStep = Duration.seconds(60)

    /// The rate to try now, in requests per second; `nil` when the search is over.
    private(set) var next: Double?
    /// The highest rate that kept the objective so far.
    private(set) var highestKept: Double?
    /// The lowest rate that did not.
    private(set) var lowestMissed: Double?
    /// The requests of the step that either of the two rests on, where they are too few to tell of such a share; else `nil`.
    var tooFewRequests: Int? { [keptOnTooFew, missedOnTooFew].compactMap(\.self).min() }
    /// Whether the lowest rate that missed may have done so because the generator was late: it was in both tries.
    private(set) var isGeneratorLate = false

    /// What it is for.
    let goal: Goal

    private let highestRate: Double
    private let tolerance: Double
    /// Whether the generator was late in this rate's first try, which missed; `nil` before it.
    private var wasLate: Bool?
    private var keptOnTooFew: Int?
    private var missedOnTooFew: Int?

    /// - Parameters:
    ///   - start: the first rate to try.
    ///   - stop: the highest rate to try; at least `start`.
    ///   - tolerance: how far the result may lie below a rate that missed the objective, as a share of the result.
    init(start: Double, stop: Double, tolerance: Double, goal: Goal) {
        next = start
        highestRate = stop
        self.tolerance = tolerance
        self.goal = goal
    }

    /// How long a step at this rate takes, so that it has the requests that it needs.
    ///
    /// - Parameter usual: how long it takes where that is enough.
    func duration(at rate: Double, usual: Duration) -> Duration {
        guard let needed = goal.requestsNeeded else { return max(usual, Self.longestStep) }
        return max(usual, min(.seconds(Double(needed) / rate), Self.longestStep))
    }

    /// Takes in what became of the rate that `next` named.
    mutating func record(_ step: Step) -> Verdict {
        guard let rate = next else { return .missed(isLate: false) }
        let isKept = goal.isKept(inside: step.inside, of: step.requests) && step.keepsUp
        let isLate = step.lag * 10 > goal.slo
        let isTold = goal.isTold(by: step.requests)
        // No pause of a machine keeps all of them from being in time.
        let isHopeless = step.inside == 0 && step.requests >= 10
        if isKept {
            highestKept = rate
            keptOnTooFew = isTold ? nil : step.requests
        } else if wasLate != nil || isHopeless {
            lowestMissed = rate
            isGeneratorLate = (wasLate ?? isLate) && isLate
            // Where many are late, or answers do not come at all, it takes no more to see it.
            missedOnTooFew = isTold || step.requests - step.inside >= 10 || !step.keepsUp ? nil : step.requests
        } else {
            wasLate = isLate
            return .triedAgain(isLate: isLate)
        }
        wasLate = nil
        next = nextRate
        return isKept ? .kept : .missed(isLate: isLate)
    }

    private var nextRate: Double? {
        switch (highestKept, lowestMissed) {
        case (nil, nil): next
        case (let kept?, nil): kept < highestRate ? min(kept * 2, highestRate) : nil
        case (nil, let missed?): missed > Self.lowestRate ? max(missed / 2, Self.lowestRate) : nil
        case (let kept?, let missed?): missed - kept > tolerance * kept ? (kept + missed) / 2 : nil
        }
    }
}
