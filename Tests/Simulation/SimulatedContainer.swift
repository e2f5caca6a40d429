import ContainerRPC
import QueryFrontend

/// A process with a model and its session: the SDK's shell around `ContainerSession`, as far as it can be told from outside.
struct SimulatedContainer {
    /// A batch, and the session it was read in.
    struct Job {
        var request: PredictRequest
        var session: Int
        /// A failure can be told, and does not end the session (RPC 4).
        var canFail: Bool
        /// When no answer is of use any more, as far as is known.
        var expires: MonotonicTime?
    }

    /// What has come while the process was stopped, in the order in which it will look at it.
    struct Backlog {
        var connected: [Int] = []
        var lost: [Int] = []
        var messages: [(connection: Int, message: FrontendMessage, version: RPCVersion)] = []
        var misbehaviours: [Scenario.Plan<Misbehaviour>] = []
        var isToStop = false
        var ticks = false
    }

    let plan: Scenario.Container
    let registration: Registration
    /// Counts up with each process.
    var process = 0
    /// When the process began.
    var began = MonotonicTime(nanoseconds: 0)
    var isRunning = false
    var isFrozen = false
    /// It was told to end.
    var isStopping = false
    /// When it was told to end.
    var stopTime = MonotonicTime.distantFuture
    /// It was told so once more.
    var isToEndAtOnce = false
    /// The frontend has said that no more batches come.
    var hasHeardGoodbye = false
    /// Its frontend takes it as little as before until then.
    var isRefusedUntil = MonotonicTime(nanoseconds: 0)
    /// When it was last stopped, in nanoseconds.
    var stopped: Int64 = 0
    /// How long the next process is away.
    var pause: Int64 = 0
    var session: ContainerSession
    /// The connection of the session's socket.
    var connection: Int?
    /// The number of the tick that is planned; earlier ones are void.
    var plannedTick = 0
    var plannedTickTime: MonotonicTime?
    var backlog = Backlog()

    // The model's thread.
    var jobs: [Job] = []
    var current: Job?
    /// Jobs of other sessions are void.
    var workerSession = 0
    /// Counts up whenever the end of the current job is planned anew.
    var plannedWork = 0
    var workDue = MonotonicTime.distantFuture
    /// What the current job was begun as.
    var model = 0
    var epoch = 0
    var jobBegan = MonotonicTime(nanoseconds: 0)
    var jobsDone = 0

    /// The model that it registered as last.
    var servedModel: Int
    var slowness = 1.0
    /// Its next registration has a field that no frontend knows.
    var registersMalformed = false
    /// What becomes of its next batch instead of outputs.
    var nextFailure: FailureCode?
    /// The version in which it last registered; outlives its processes.
    var lastVersion: RPCVersion?
    /// What it will do to its next answers.
    var nextAnswers: [Scenario.Plan<Misbehaviour>] = []
    /// Nothing gets through to it or from it until then.
    var blockedUntil = MonotonicTime(nanoseconds: 0)
    /// The frontend cannot send to it until then.
    var isFullUntil = MonotonicTime(nanoseconds: 0)

    init(_ plan: Scenario.Container, of model: Scenario.Model, timing: SessionTiming) {
        self.plan = plan
        servedModel = plan.model
        registration = Registration(
            modelName: model.version.name, modelVersion: model.version.version, inputType: plan.inputType,
            rpcVersion: plan.offered, details: plan.offered == .four ? plan.details : RegistrationDetails())
        session = ContainerSession(registration, now: MonotonicTime(nanoseconds: 0), timing: timing)
    }

    var isIdle: Bool { current == nil && jobs.isEmpty }

    /// The next job that is not void.
    mutating func nextJob() -> Job? {
        while !jobs.isEmpty {
            let job = jobs.removeFirst()
            if job.session == workerSession { return job }
        }
        return nil
    }
}
