/// What befalls a container, its connection or the frontend.
enum Fault: Int, CaseIterable, Sendable {
    /// The process ends at once, with whatever it has not sent; another one comes later.
    case crash
    /// The process is told to end, answers what it has read, and is started again.
    case gracefulStop
    /// The process is told to end while nothing can be sent to it.
    case stopUnheard
    /// The process is told to end, and killed before it has.
    case killedWhileLeaving
    /// The process is stopped and goes on later (SIGSTOP, SIGCONT).
    case freeze
    /// The model makes no progress for a while; the session goes on.
    case hang
    /// The model is slower by a factor for a while.
    case slowDown
    /// The model fails at the next batch.
    case failedBatch
    /// The container cannot compute the next batch, for a reason that is none of the batch's.
    case unavailable
    /// The next batch is more than the container can answer, whatever it has said that it takes.
    case tooLarge
    /// The connection is reset.
    case reset
    /// Nothing gets through for a while, then all of it.
    case partition
    /// Nothing gets through, then the connection is gone; each side hears of it when it does.
    case partitionForGood
    /// What is sent to the container is refused: its pipe is full.
    case fullPipe
    /// The frontend ends with all it knew, and another one takes its place.
    case frontendRestart
    /// The dispatch thread is not scheduled for a while.
    case frontendStall
    /// The disk of learned states is full for a while.
    case storeFull
    /// The disk of learned states is much slower for a while.
    case storeSlow

    /// Whether it befalls a container, rather than the frontend.
    var isOfContainer: Bool {
        switch self {
        case .frontendRestart, .frontendStall, .storeFull, .storeSlow: false
        default: true
        }
    }
}

/// What a container does that the protocol does not allow, or does not expect.
enum Misbehaviour: Int, CaseIterable, Sendable {
    /// Answers a batch twice.
    case duplicateAnswer
    /// Answers a batch once more much later, perhaps in another session.
    case lateAnswer
    /// Answers a batch that nobody sent.
    case unknownAnswer
    /// Answers a batch that another container has, with outputs of its own.
    case forgedAnswer
    /// Answers with too few or too many outputs.
    case wrongOutputCount
    /// Never answers a batch.
    case forgetsAnswer
    /// Sends what is no message.
    case malformedMessage
    /// Registers a second time.
    case registersAgain
    /// Registers as a container of another model.
    case registersAsAnother
    /// Registers with another input type.
    case registersWithAnotherType
    /// Registers in RPC 3 though it has offered RPC 4.
    case registersInVersion3
    /// Says that a batch is too late that is not.
    case falselyTooLate
    /// Says goodbye and goes on, or says it twice.
    case saysGoodbye
}

/// What operators do.
enum Operation: Int, CaseIterable, Sendable {
    case deleteModel
    case registerModel
    case changeSettings
    case changeHedging
    case drain
    case resume
    /// Drains a replica and, when it has answered everything, lets its container end.
    case drainAndStop
    /// Gives an application another policy, or other settings.
    case changePolicy
    /// Links an application to other models.
    case changeLinks
    /// Makes another version of a model the current one.
    case changeVersion
    /// Lets an application, or one of its users, begin anew.
    case resetState
    /// Lets an application be without a policy for a while.
    case removePolicy
    /// Looks at what was learned.
    case askForState
}
