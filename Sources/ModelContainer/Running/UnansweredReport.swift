import ContainerRPC

/// When a container says that nobody answers where it looks for its frontend: early once, for a person who waits, and at a
/// session's end not so often that the log fills up.
struct UnansweredReport: Sendable {
    /// A frontend that is there answers within milliseconds.
    static let patience = Duration.seconds(2)
    /// Something that is no frontend may end a session as soon as it begins.
    static let interval = Duration.seconds(30)

    /// When the early line is due; `nil` once it has been said, or once something else was.
    private(set) var deadline: MonotonicTime?
    private var isWaiting = false
    /// Whether it has been said that nobody answers, and whether that was explained, since somebody did.
    private var isSaid = false
    private var isExplained = false
    private var ends = LogLimit(interval: Self.interval)

    /// A session begins. The time counts from the first one since somebody answered.
    mutating func begin(now: MonotonicTime) {
        guard !isWaiting else { return }
        isWaiting = true
        deadline = now + Self.patience
    }

    /// The frontend has said something.
    mutating func noteAnswer() {
        guard isWaiting else { return }
        self = UnansweredReport()
    }

    /// Whether it is to be said now that nobody answers yet; it is said once.
    mutating func isDue(now: MonotonicTime) -> Bool {
        guard let deadline, now >= deadline else { return false }
        self.deadline = nil
        isSaid = true
        return true
    }

    /// Whether it is to be said that nobody knows the frontend's name: once, and not before it is said that nobody answers.
    mutating func admitsUnknownName() -> Bool {
        guard isSaid, !isExplained else { return false }
        isExplained = true
        return true
    }

    /// A session has ended: whether that is to be said.
    mutating func admits(_ reason: ContainerSession.CloseReason, now: MonotonicTime) -> Bool {
        guard reason == .unanswered else { return true }
        deadline = nil
        isSaid = true
        return ends.admit(now: now) != nil
    }
}
