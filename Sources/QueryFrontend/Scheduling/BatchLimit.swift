import ContainerRPC

/// How many queries a batch for one replica may hold: the state of its model's `Batching` limit.
package struct BatchLimit: Sendable {
    private var batching: Batching
    /// AIMD's limit; a fraction of a query counts from one step to the next.
    private var current = 1.0
    /// What sizes do, with `.deadline`.
    private var rates = BatchRates()
    /// The most that the replica takes, as it says.
    private let largest: Int
    /// The most that it can answer at a time, as its refusals show.
    private var answerable = Int.max
    /// Batches of so many queries that it has answered since.
    private var answered = 0
    /// After how many of those twice as many are tried; twice as many after each time that it was found.
    private var patience = 16
    /// What it was, while it is being found by refusals that follow each other.
    private var formerlyAnswerable: Int?
    /// Batches of any size that it has answered since the last refusal.
    private var answeredSinceRefusal = 0
    /// Whether it has answered any since it was last put back to what it was.
    private var hasAnsweredSinceReturn = true

    package init(_ batching: Batching, largest: Int = .max) {
        self.batching = batching
        self.largest = largest
    }

    /// The model's batching has been changed; AIMD goes on from where it is.
    package mutating func adopt(_ batching: Batching) {
        if batching.limit != self.batching.limit { rates = BatchRates() }
        self.batching = batching
    }

    /// The most queries that a batch may hold, at least 1, whose first one must be answered within the budget.
    ///
    /// With `.deadline` it is the largest whose slow latency fits, as long as larger ones do no less in a second. Where more
    /// wait, or not even one query fits, it is the largest whose expected latency does: should that batch be slow, its first
    /// few queries are late, while a smaller one would keep all waiting that it leaves behind, and the model would do less. It
    /// is at most twice the largest that was seen of late, so that what is unknown is approached by growing batches.
    ///
    /// - Parameter waiting: queries that would be in the batch if it could hold them.
    package func limit(budget: Duration, model: LatencyModel, waiting: Int = 1) -> Int {
        guard case .deadline = batching.limit else { return present }
        guard model.isKnown else { return 1 }
        var size = model.largestSize(within: budget, slow: true)
        if size < waiting { size = model.largestSize(within: budget, slow: false) }
        return clamped(min(size, 2 * model.largestSeen, rates.largestWorthwhile))
    }

    /// The most queries that one batch can answer within the SLO, at least 1, however little they have waited.
    package func largestInTime(of slo: Duration, model: LatencyModel) -> Int {
        guard case .deadline = batching.limit else { return present }
        guard model.isKnown else { return 1 }
        return clamped(min(model.largestSize(within: slo, slow: false), rates.largestWorthwhile))
    }

    /// Whether batches of so many queries are tried only now and then, because they do less in a second than smaller ones.
    package func isBeyond(_ size: Int) -> Bool { rates.isBeyond(size) }

    /// A batch of so many queries is sent.
    package mutating func begin(size: Int) { rates.begin(size: size) }

    /// A batch of so many queries was answered after this time at the replica: AIMD's step.
    ///
    /// - Parameter computeTime: what the container says that its model took: no batch took less, though its answer may have
    ///   been read at once with the one before it.
    package mutating func completed(size: Int, duration: Duration, computeTime: Duration? = nil, wasInTime: Bool) {
        noteAnswered(size: size)
        if case .deadline = batching.limit { rates.record(size: size, duration: max(duration, computeTime ?? .zero)) }
        guard case .aimd(let increase, let backoff) = batching.limit else { return }
        if !wasInTime {
            current = max(1, current * (backoff.isNaN ? 1 : min(max(backoff, 0), 1)))
        } else if size >= present {
            current = min(current + Double(max(increase, 0)), Double(clamped(.max)))
        }
    }

    /// The replica could not answer a batch of so many queries, because it was too large. One of a single query shows that
    /// not their number was to blame.
    package mutating func refused(size: Int) {
        answered = 0
        answeredSinceRefusal = 0
        guard size > 1 else {
            // Where one after the other is too large, the search is not begun anew for each.
            if let former = formerlyAnswerable, hasAnsweredSinceReturn {
                answerable = former
                patience /= 2
                formerlyAnswerable = nil
                hasAnsweredSinceReturn = false
            }
            return
        }
        if formerlyAnswerable == nil {
            formerlyAnswerable = answerable
            patience = min(2 * patience, 4096)
        }
        answerable = max(1, min(answerable, size / 2))
    }

    /// What was too large may have been so because of one query alone.
    private mutating func noteAnswered(size: Int) {
        hasAnsweredSinceReturn = true
        answeredSinceRefusal += 1
        // What is found after that has another reason.
        if answeredSinceRefusal >= patience { formerlyAnswerable = nil }
        guard answerable != .max, size >= answerable else { return }
        answered += 1
        guard answered >= patience else { return }
        answered = 0
        formerlyAnswerable = nil
        answerable = answerable >= 1 << 20 ? .max : 2 * answerable
    }

    private var present: Int {
        switch batching.limit {
        case .fixed(let size): clamped(size)
        case .aimd, .deadline: clamped(Int(current))
        }
    }

    private func clamped(_ size: Int) -> Int { max(1, min(size, batching.maxBatch, largest, answerable)) }
}
