import ContainerRPC
import QueryFrontend

/// A frontend's process: what its dispatch thread owns, and what its sockets and its inbox hold.
struct SimulatedFrontend {
    /// What the dispatch thread is asked to do besides queries.
    enum Command {
        /// Hands the core the catalog as operators have made it.
        case publish
        case register(model: Int, Batching)
        case delete(model: Int)
        case hedge(application: Int, Hedging?)
        case drain(container: Int, Draining)
        case select(application: Int, SelectionSettings?, links: [String]?)
        case setVersion(model: Int)
        case resetState(application: Int, user: String?)
        case askForState(application: Int, user: String?)
    }

    /// Counts up with each process.
    let number: Int
    /// It is of an earlier release: routing ids tell it nothing.
    let speaksVersion4: Bool
    var isRunning = true
    var core: DispatchCore
    /// What the store's thread does with what it takes.
    var stateWork: StateWork
    /// What it has not taken.
    var stateRequests: [SelectionStoreRequest] = []
    /// What it has taken and not done; `nil` while it sleeps.
    var stateRequestsTaken: [SelectionStoreRequest]?
    var storeAnswers: [SelectionStoreAnswer] = []
    /// The failures that the answers that have come tell of, with those before them.
    var failuresTold = 0
    /// Answers that the store's thread is about to hand over.
    var storeAnswersUnderWay = 0
    /// When the last of them comes: they keep their order.
    var lastStoreAnswers = MonotonicTime(nanoseconds: 0)
    var inbox: [Submission] = []
    var feedback: [SelectedFeedback] = []
    var commands: [Command] = []
    /// Connection events that the thread has not read.
    var monitored: [ConnectionEvent] = []
    /// Connections with messages that it has not read.
    var readable: [Int] = []
    /// The connection by which each replica registered, unless it was taken back without a word.
    var origins: [ReplicaID: Int] = [:]
    /// The number of the turn that is planned; earlier ones are void.
    var plannedTurn = 0
    var plannedTurnTime = MonotonicTime.distantFuture
    /// It does nothing else before.
    var busyUntil = MonotonicTime(nanoseconds: 0)
    private var descriptors: [Bool] = []
    private var wasUsed: [Bool] = []

    init(
        _ scenario: Scenario, number: Int, store: SimulatedStateStore, speaksVersion4: Bool = true,
        from random: inout SeededGenerator
    ) {
        self.number = number
        self.speaksVersion4 = speaksVersion4
        stateWork = StateWork(store: store)
        core = DispatchCore(
            DispatchCore.Configuration(
                timing: scenario.timing, bounds: scenario.bounds, selection: scenario.selectorBounds),
            handles: scenario.makeHandles(), cache: SharedPredictionCache(capacityBytes: scenario.cacheBytes),
            policies: .simulated, firstBatch: UInt32(truncatingIfNeeded: random.next()), seed: random.next(),
            tellsQueries: true,
            now: MonotonicTime(nanoseconds: 0))
        for sink in [Sinks.queries, Sinks.selected, Sinks.feedback] {
            let number = core.addSink()
            precondition(number == sink)
        }
    }

    /// Whom outcomes go to, by their numbers.
    enum Sinks {
        static let queries = 0
        static let selected = 1
        static let feedback = 2
    }

    /// The lowest descriptor that is free, as the system gives them; the first ones have other uses.
    mutating func takeDescriptor() -> (Int32, isReused: Bool) {
        let index = descriptors.firstIndex(of: false) ?? descriptors.count
        if index == descriptors.count {
            descriptors.append(false)
            wasUsed.append(false)
        }
        defer {
            descriptors[index] = true
            wasUsed[index] = true
        }
        return (Int32(index + 10), wasUsed[index])
    }

    mutating func giveBack(_ descriptor: Int32) {
        descriptors[Int(descriptor) - 10] = false
    }
}
