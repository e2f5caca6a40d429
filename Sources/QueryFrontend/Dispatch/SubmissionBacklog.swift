import ContainerRPC
import DequeModule

/// Requests on their way into the scheduler. They take turns, so that the many inputs of one keep nobody else's waiting.
struct SubmissionBacklog {
    /// Inputs that one turn takes from all requests.
    static let inputsPerTurn = 2048
    /// Inputs that one turn takes from one of them.
    static let inputsPerRequest = 256

    /// Each with the first of its inputs that has not been taken.
    private var waiting: Deque<(submission: Submission, next: Int)> = []

    var isEmpty: Bool { waiting.isEmpty }

    mutating func append(_ submission: Submission) {
        waiting.append((submission, 0))
    }

    /// The keys of some of the inputs that the next turn takes: so many, or all.
    func forEachUpcomingKey(_ count: Int, _ body: (CacheKey) -> Void) {
        var left = count
        for (submission, next) in waiting {
            guard left > 0 else { return }
            let keys = submission.keys.dropFirst(next).prefix(min(left, Self.inputsPerRequest))
            keys.forEach(body)
            left -= max(1, keys.count)
        }
    }

    /// What one turn may still take.
    struct Turn {
        fileprivate var inputs = SubmissionBacklog.inputsPerTurn
        /// Each is looked at once.
        fileprivate var requests: Int
    }

    func beginTurn() -> Turn { Turn(requests: waiting.count) }

    /// Takes some of the inputs of the next request, by their places, or all that is left of one whose deadline has come;
    /// `nil` when the turn has taken what it may.
    mutating func next(in turn: inout Turn, now: MonotonicTime) -> (submission: Submission, items: Range<Int>)? {
        guard turn.inputs > 0, turn.requests > 0 else { return nil }
        let (submission, next) = waiting.removeFirst()
        let most = submission.deadline > now ? min(Self.inputsPerRequest, turn.inputs) : .max - next
        let end = min(submission.inputs.count, next + most)
        turn.inputs -= end - next
        turn.requests -= 1
        if end < submission.inputs.count { waiting.append((submission, end)) }
        return (submission, next..<end)
    }

    /// Takes all that is left.
    mutating func removeAll() -> [(submission: Submission, items: Range<Int>)] {
        defer { waiting = [] }
        return waiting.map { ($0.submission, $0.next..<$0.submission.inputs.count) }
    }
}
