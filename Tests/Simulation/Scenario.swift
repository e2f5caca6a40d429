import ContainerRPC
import QueryFrontend

/// Everything about one run that is decided before it begins, drawn from its seed.
///
/// Durations are whole nanoseconds here and in all of the simulation: it does arithmetic with them for every event.
struct Scenario: Sendable {
    /// A model version.
    struct Model: Sendable {
        var version: ModelVersion
        var inputType: InputType
        var batching: Batching
        /// Elements of each input beside the one that says which it is.
        var padding: Int
        /// Whether equal inputs have equal outputs; otherwise none may be kept or shared.
        var isFunction: Bool
    }

    /// An application, and the queries of its clients.
    struct Application: Sendable {
        var model: Int
        var slo: Int64
        var hedging: Hedging?
        /// Requests per second when nothing particular is going on.
        var rate: Double
        /// How many different inputs there are; `nil` if no two queries ask the same.
        var distinctInputs: Int?
        /// The share of requests with a timeout of their own.
        var shorterTimeouts: Double
        /// The share of requests with more than one input.
        var manyInputs: Double
        /// When its clients ask more or less than at other times.
        var phases: [Phase]
    }

    /// A time in which an application's rate is multiplied.
    struct Phase: Sendable {
        var begin: Int64
        var end: Int64
        var factor: Double
    }

    /// A container that is to run the whole time.
    struct Container: Sendable {
        var model: Int
        /// What it says that it takes; not always what its model is registered with.
        var inputType: InputType
        var latency: LatencyScenario
        /// The best version of the protocol that it speaks.
        var offered: RPCVersion
        /// What it says of itself in RPC 4.
        var details = RegistrationDetails()
        /// The share of inputs that its model fails for, where it can say so.
        var failingInputs: Double
        /// It comes back under the routing id that it had.
        var keepsRoutingID: Bool
        var starts: Int64
    }

    /// What is to happen at a time.
    struct Plan<Kind: Sendable>: Sendable {
        var time: Int64
        var kind: Kind
        var target: Int
        var duration: Int64
    }

    /// Ways and times of the network, one way.
    struct Network: Sendable {
        var delay: ClosedRange<Int64>
        /// The share of messages that take much longer.
        var slowShare: Double
    }

    var timing: SessionTiming
    var slotsPerReplica: Int
    var mostQueued: Int
    var mostQueuedBytes: Int
    /// More bytes than ever wait.
    static let plentyOfBytes = 1 << 24
    var messagesPerTurn: Int
    var cacheBytes: Int
    var network: Network
    var duration: Int64
    var models: [Model] = []
    var applications: [Application] = []
    var containers: [Container] = []
    /// Applications whose policies choose; they come after the others.
    var selecting: [Selecting] = []
    var selectorBounds = Selector.Bounds()
    var store = Store()
    var faults: [Plan<Fault>] = []
    var misbehaviours: [Plan<Misbehaviour>] = []
    var operations: [Plan<Operation>] = []
}

/// How long a container's model takes for a batch of n: a + b·n, and what makes that uneven.
struct LatencyScenario: Sendable {
    /// a, in nanoseconds.
    var intercept: Int64
    /// b, in nanoseconds.
    var slope: Int64
    /// From so many queries on each takes as long as `dearness` of those before.
    var knee: Int
    var dearness: Double
    /// Each batch takes up to so much of that more.
    var jitter: Double
    /// The share of batches with a heavy tail.
    var tailShare: Double
    var tailLimit: Double
    /// The first batches of a process take longer.
    var warmUpBatches: Int
    var warmUpFactor: Double

    /// The time that one batch takes, in nanoseconds.
    ///
    /// - Parameter done: batches that the process has done before.
    func draw(_ size: Int, after done: Int, factor: Double, from random: inout SeededGenerator) -> Int64 {
        let weight = Double(min(size, knee)) + Double(max(0, size - knee)) * dearness
        var time = (Double(intercept) + Double(slope) * weight) * factor * (1 + jitter * random.unit())
        if random.chance(tailShare) { time *= random.heavyTail(atMost: tailLimit) }
        if done < warmUpBatches { time *= warmUpFactor }
        return Int64(time)
    }
}

let microsecond: Int64 = 1_000
let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000

extension Scenario {
    /// The handle of an application whose policy chooses.
    func handle(ofSelecting index: Int) -> ApplicationHandle {
        ApplicationHandle(index: applications.count + index)
    }

    /// The name of an application without a policy.
    func name(ofApplication index: Int) -> String { "application-\(index)" }

    /// The frontend's numbers for models and applications: those that they have here.
    func makeHandles() -> Handles {
        let handles = Handles()
        for (index, model) in models.enumerated() {
            precondition(handles.handle(for: model.version).index == index)
        }
        for index in applications.indices {
            precondition(handles.handle(forApplication: name(ofApplication: index)).index == index)
        }
        for (index, application) in selecting.enumerated() {
            precondition(handles.handle(forApplication: application.name) == handle(ofSelecting: index))
        }
        return handles
    }

    /// The scheduler's bounds; they are the same for all models.
    var bounds: Scheduler.Bounds {
        Scheduler.Bounds(
            slotsPerReplica: slotsPerReplica, queuedQueries: mostQueued, queuedBytes: mostQueuedBytes,
            patience: timing.silenceLimit)
    }

    /// The number of a model version; that after the last one for any that is in no catalog.
    func index(of version: ModelVersion) -> Int {
        models.firstIndex { $0.version == version } ?? models.count
    }

    /// Whether equal inputs of a model have equal outputs.
    func isFunction(_ model: Int) -> Bool {
        !models.indices.contains(model) || models[model].isFunction
    }
}
