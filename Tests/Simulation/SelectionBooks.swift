import ContainerRPC
import QueryFrontend

/// What is known from outside of queries and feedback of applications whose policies choose.
struct SelectionBooks {
    /// A query as its client sees it.
    struct QueryRecord {
        let application: Int
        let value: Int
        let user: String?
        var arrived: MonotonicTime
        var deadline: MonotonicTime
        var mustHaveOutput: Bool
        /// The number of the frontend's process that has it.
        let frontend: Int
        var isTaken = false
        var isGone = false
        /// Its application was without a policy since it came.
        var lostPolicy = false
        /// What its client was answered, and when.
        var answer: (outcome: Outcome, time: MonotonicTime)?
        /// The models that it was sent to, by their tickets.
        var parts: [Ticket] = []
        /// How it was sent to the first model, when its application had lost its policy before that had chosen.
        var fallback: Ticket?
        /// A model has answered it that is not a shadow.
        var hasAnswers = false
        /// How many queries the process had answered before.
        var place = 0
    }

    /// One model of those that an input was sent to.
    struct Part {
        /// `nil` where it is sent for feedback.
        let query: Int?
        let model: Int
        let value: Int
        let isShadow: Bool
        let sent: MonotonicTime
        let deadline: MonotonicTime
        let epoch: Int
        let door: Oracle.Door
        var outcome: Outcome?
    }

    /// Feedback as its client sees it.
    struct FeedbackRecord {
        let plan: FeedbackPlan
        let arrived: MonotonicTime
        let frontend: Int
        /// Failed commits that the frontend had heard of when it came.
        let failuresHeard: Int
        var isGone = false
        var lostPolicy = false
        var mustCount = false
        var result: FeedbackResult?
    }

    /// An application as the catalog has it.
    struct Application {
        var settings: SelectionSettings
        var links: [String]
        var hasPolicy = true
    }

    var applications: [Application]
    /// The current version of each model.
    var current: [String: Int] = [:]
    var queries: [QueryRecord] = []
    var feedback: [FeedbackRecord] = []
    var parts: [Ticket: Part] = [:]
    /// Models that took queries when the turn began.
    var servedAtTurn: [Bool] = []
    /// Ids under which feedback was said to have counted.
    var saidToHaveCounted: Set<SimulatedStateStore.FeedbackKey> = []
    /// Queries that the frontend's process has answered from models' answers.
    var answeredByProcess = 0
    var failuresHeard = 0
    var nextValue = Self.firstDistinct
    var nextFeedbackID = 0

    init(_ scenario: Scenario) {
        applications = scenario.selecting.map { Application(settings: $0.settings, links: $0.links) }
        for name in scenario.modelNames { current[name] = scenario.versions(of: name).first }
    }

    // MARK: Inputs and outputs

    /// Inputs from here on are asked for once.
    static let firstDistinct = 1 << 22
    /// Inputs from here on, below `Oracle.firstDistinct`, are asked for again and again.
    static let firstShared = 600

    /// Whether it is an input that models to choose from answer.
    static func isSelected(_ value: Int) -> Bool {
        (firstShared..<Oracle.firstDistinct).contains(value) || (firstDistinct..<2 * firstDistinct).contains(value)
    }

    /// What would be right: one of ten classes.
    static func label(of value: Int) -> Int { value % 10 }

    /// What a model says: what is right, or now and then what other models do not say.
    static func output(of value: Int, model: Int, epoch: Int) -> String {
        let mixed = (value &* 2_654_435_761 &+ model &* 40_503 &+ epoch &* 977) >> 5
        let isRight = mixed & 15 > 2 * model
        return "\((label(of: value) + (isRight ? 0 : 1 + model % 3)) % 10)"
    }
}

/// Feedback that a client sends.
struct FeedbackPlan: Sendable {
    enum Subject: Sendable {
        case label(ofInput: Int)
        case query(Int, SelectedFeedback.Judgement)
    }

    var application: Int
    var subject: Subject
    var user: String?
    var id: String?
    /// The copies that are yet to be sent.
    var copies = 0
    /// It is sent when all is well.
    var mustCount = false
}
