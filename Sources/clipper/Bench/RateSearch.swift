/// Searches the highest rate that keeps the objective: doubles (or halves) until it lies between two rates, then bisects.
struct RateSearch: Equatable, Sendable {
    /// Rates below one request per second are not tried.
    static let lowestRate = 1.0

    /// The rate to try now, in requests per second; `nil` when the search is over.
    private(set) var next: Double?
    /// The highest rate that kept the objective so far.
    private(set) var highestKept: Double?
    /// The lowest rate that did not.
    private(set) var lowestMissed: Double?

    private let highestRate: Double
    private let tolerance: Double

    /// - Parameters:
    ///   - start: the first rate to try.
    ///   - stop: the highest rate to try; at least `start`.
    ///   - tolerance: how far the result may lie below a rate that missed the objective, as a share of the result.
    init(start: Double, stop: Double, tolerance: Double) {
        next = start
        highestRate = stop
        self.tolerance = tolerance
    }

    /// Takes in what became of the rate that `next` named.
    mutating func record(kept: Bool) {
        guard let rate = next else { return }
        if kept { highestKept = rate } else { lowestMissed = rate }
        next = nextRate
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
