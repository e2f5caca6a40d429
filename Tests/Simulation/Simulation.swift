import ContainerRPC
import QueryFrontend

/// One run: the real sessions, scheduler and cache in a world of simulated clients, containers, network and time.
///
/// Everything in it follows from the seed. After every turn of the frontend the invariants are checked; the first that
/// does not hold ends the run.
package struct Simulation {
    /// What is planned to happen.
    enum Event {
        case arrival(application: Int)
        case turn(number: Int)
        case toFrontend(connection: Int, ContainerSpeech)
        case toContainer(connection: Int, FrontendMessage, in: RPCVersion)
        case attempt(connection: Int)
        case connected(connection: Int)
        case lostAtFrontend(connection: Int)
        case lostAtContainer(connection: Int)
        case tick(container: Int, number: Int)
        case workDone(container: Int, number: Int)
        case start(container: Int)
        case fault(Int)
        case healed(Fault, target: Int, process: Int)
        case misbehaviour(Int)
        case answerLate(container: Int, ContainerMessage)
        case operation(Int)
        case reversal(Operation, target: Int)
        case frontendStart
        case clientsStop
        case inspect(Inspection)
        case selectingArrival(application: Int)
        case feedback(FeedbackPlan)
        case storeWakes(process: Int)
        case storeDone(process: Int)
        case storeAnswers(process: Int, [SelectionStoreAnswer], failures: Int)
    }

    /// What is looked at when clients and mishaps are over.
    enum Inspection: Int {
        /// Whether all containers are there, and nothing is left of what was.
        case settled = 1
        /// Whether the queries that were sent to see whether all is well were answered.
        case probed
    }

    let scenario: Scenario
    var random: SeededGenerator
    var now = MonotonicTime(nanoseconds: 0)
    var events = EventQueue<Event>()
    var history: History
    var occurrences = Occurrences()
    var frontend: SimulatedFrontend
    var containers: [SimulatedContainer] = []
    var connections: [Connection] = []
    /// The newest connection of each container, by which a routing id of its own leads to it.
    var newestConnections: [Int]
    var oracle: Oracle
    /// What policies have learned, across the frontend's processes.
    let store: SimulatedStateStore
    /// The disk takes so much longer.
    var storeSlowness: Int64 = 1
    /// What was asked of policies' states, and what came of it.
    let stateReports = StateReports()
    /// Counts up whenever a model is deleted: what was computed before must not be seen after.
    var epochs: [Int]
    /// How often each model was asked for an output that no other query may get.
    var nextNonce = 0
    var areClientsActive = true
    /// How often in a row it was looked in vain whether all has come to its end.
    var inspections = 0
    var isOver = false

    /// Prepares the run of a seed.
    ///
    /// - Parameter keepsHistory: keep all of its history, not only the last events.
    package init(seed: UInt64, keepsHistory: Bool = false) {
        random = SeededGenerator(seed: seed)
        scenario = Scenario(from: &random)
        history = History(keepsAll: keepsHistory)
        epochs = Array(repeating: 0, count: scenario.models.count)
        newestConnections = Array(repeating: -1, count: scenario.containers.count)
        oracle = Oracle(scenario)
        store = SimulatedStateStore()
        frontend = SimulatedFrontend(scenario, number: 0, store: store, from: &random)
    }

    /// What became of a run.
    package struct Report: Sendable {
        /// What did not hold, when, and what had happened before; `nil` if all invariants held.
        package var violation: Violation?
        /// Tells two histories apart.
        package var historyHash: UInt64
        package var occurrences: Occurrences
        /// The events of the run as text, or the last of them.
        package var history: [String]
    }

    /// Carries out the run.
    package mutating func run() -> Report {
        begin()
        while oracle.violation == nil, !isOver, let (time, event) = events.popFirst() {
            now = time
            perform(event)
            if now.nanoseconds > 600 * second {
                oracle.violate("the run does not come to its end", at: now)
            }
        }
        return Report(
            violation: oracle.violation, historyHash: history.hash, occurrences: occurrences,
            history: oracle.violation == nil && !history.keepsAll ? [] : history.lines)
    }

    private mutating func begin() {
        for (index, plan) in scenario.containers.enumerated() {
            containers.append(SimulatedContainer(plan, of: scenario.models[plan.model], timing: scenario.timing))
            at(MonotonicTime(nanoseconds: plan.starts), .start(container: index))
        }
        startFrontend()
        for application in scenario.applications.indices { planArrival(application) }
        for application in scenario.selecting.indices { planSelectingArrival(application) }
        for (index, plan) in scenario.faults.enumerated() {
            at(MonotonicTime(nanoseconds: plan.time), .fault(index))
        }
        for (index, plan) in scenario.misbehaviours.enumerated() {
            at(MonotonicTime(nanoseconds: plan.time), .misbehaviour(index))
        }
        for (index, plan) in scenario.operations.enumerated() {
            at(MonotonicTime(nanoseconds: plan.time), .operation(index))
        }
        at(MonotonicTime(nanoseconds: scenario.duration), .clientsStop)
    }

    private mutating func perform(_ event: Event) {
        switch event {
        case .arrival(let application): arrive(application)
        case .turn(let number): turn(number)
        case .toFrontend(let connection, let speech): arriveAtFrontend(connection, speech)
        case .toContainer(let connection, let message, let version): arriveAtContainer(connection, message, version)
        case .attempt(let connection): attempt(connection)
        case .connected(let connection): containerConnected(connection)
        case .lostAtFrontend(let connection): frontendLoses(connection)
        case .lostAtContainer(let connection): containerLoses(connection)
        case .tick(let container, let number): tick(container, number)
        case .workDone(let container, let number): workDone(container, number)
        case .start(let container): start(container)
        case .fault(let index): begin(scenario.faults[index])
        case .healed(let fault, let target, let process): end(fault, target, process: process)
        case .misbehaviour(let index): misbehave(scenario.misbehaviours[index])
        case .answerLate(let container, let answer): answerLate(container, answer)
        case .operation(let index): operate(scenario.operations[index])
        case .reversal(let operation, let target): reverse(operation, target)
        case .frontendStart: startFrontend()
        case .clientsStop: stopClients()
        case .inspect(let inspection): inspect(inspection)
        case .selectingArrival(let application): arriveSelecting(application)
        case .feedback(let plan): sendFeedback(plan)
        case .storeWakes(let process): storeWakes(process)
        case .storeDone(let process): storeDone(process)
        case .storeAnswers(let process, let answers, let failures): storeAnswers(process, answers, failures)
        }
    }

    // MARK: Time

    mutating func at(_ time: MonotonicTime, _ event: Event) {
        events.insert(event, at: time)
    }

    mutating func after(_ nanoseconds: Int64, _ event: Event) {
        events.insert(event, at: later(nanoseconds))
    }

    mutating func later(_ nanoseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: now.nanoseconds + nanoseconds)
    }

    mutating func note(_ kind: History.Kind, _ a: Int, _ b: Int = 0, _ c: Int = 0) {
        history.note(kind, a, b, c, at: now)
    }
}
