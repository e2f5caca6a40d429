/// Chooses which of an application's models answer a query, combines their answers, and learns from feedback
/// (Clipper, NSDI 2017, section 5: select, combine, observe).
///
/// A value without I/O. What it learns is in its state, one for the application and one for each user; what it draws
/// comes from a generator that it is handed. A model is named by its name, without a version: a new version takes over
/// its model's place in the state. A state has to make room by itself for models that are linked later; what it knows
/// of one that is unlinked may stay, in case it comes back.
public protocol SelectionPolicy: Sendable {
    /// What is learned. Kept as JSON across restarts, so numbers in it must be finite. ``NoState`` where nothing is: then
    /// `initialState` and `observe` are there already.
    associatedtype State: Codable & Sendable

    /// The models that its parameters name, such as those with a share, so that a misspelt one is noticed.
    var namedModels: [String] { get }

    /// The state of an application before its first feedback.
    func initialState() -> State

    /// Chooses which models answer a query, and which only watch.
    ///
    /// - Parameter query: its models are never empty.
    func select(_ query: SelectionQuery, state: State, using random: inout SelectionRandom) -> Selection

    /// Makes one output of the answers that came by the deadline.
    ///
    /// - Parameter answers: one for each member of the selection; at least one has an output.
    func combine(_ answers: SelectionAnswers, state: State) -> Combination

    /// Learns from what the models' answers have cost.
    func observe(_ feedback: SelectionFeedback, state: inout State)

    /// What a user begins with, who has been given feedback for the first time: what the application has learned, but held
    /// lightly enough that tens of feedbacks can change it.
    func userState(from application: State) -> State

    /// How much each of these models counts now: shares that add to one. For people and for metrics, on any thread.
    func weights(of models: [String], state: State) -> [Double]
}

extension SelectionPolicy {
    /// The application's state as it is.
    public func userState(from application: State) -> State { application }

    /// No model is named.
    public var namedModels: [String] { [] }

    /// Equal shares.
    public func weights(of models: [String], state: State) -> [Double] {
        models.map { _ in 1 / Double(models.count) }
    }

    /// The first answer that there is, and the share of the members that agree with it.
    public func combine(_ answers: SelectionAnswers, state: State) -> Combination {
        answers.first
    }
}

/// The state of a policy that learns nothing.
public struct NoState: Codable, Sendable, Hashable {
    /// The only one there is.
    public init() {}
}

extension SelectionPolicy where State == NoState {
    /// The only state there is.
    public func initialState() -> NoState { NoState() }

    /// Learns nothing.
    public func observe(_ feedback: SelectionFeedback, state: inout NoState) {}
}

/// A query that a policy chooses models for.
public struct SelectionQuery: Sendable, Hashable {
    /// The application that is asked.
    public var application: String
    /// The names of its linked models that have a live replica, in the order of linking, without shadows: where one of them has
    /// a replica that is not stuck, those alone that have one; and without those that have turned the query away, where a
    /// policy that learns is asked anew.
    public var models: [String]
    /// Who asks, where the request says so.
    public var user: String?
    /// How the application measures errors.
    public var loss: Loss

    /// A query of these parts.
    public init(application: String, models: [String], user: String? = nil, loss: Loss = .zeroOne) {
        self.application = application
        self.models = models
        self.user = user
        self.loss = loss
    }
}

/// Which models answer a query.
public struct Selection: Sendable, Hashable {
    /// One model that answers.
    public struct Member: Sendable, Hashable {
        /// Its place in the query's models.
        public var model: Int
        /// How probable it was that this model would be among those that answer: more than 0, at most 1.
        public var probability: Double

        /// A member; a probability of 1 where nothing was drawn.
        public init(model: Int, probability: Double = 1) {
            self.model = model
            self.probability = probability
        }
    }

    /// Those whose answers are combined.
    public var members: [Member]
    /// Places of models that get the query too, whose answers are only compared and counted.
    public var watching: [Int]

    /// A selection of these models.
    public init(_ members: [Member], watching: [Int] = []) {
        self.members = members
        self.watching = watching
    }

    /// A selection of one model.
    public init(_ model: Int, probability: Double = 1) {
        self.init([Member(model: model, probability: probability)])
    }

    /// A selection of all models of a query.
    public init(allOf query: SelectionQuery) {
        self.init(query.models.indices.map { Member(model: $0) })
    }
}

/// The answers of a selection's members, by the deadline.
public struct SelectionAnswers: Sendable {
    /// The members' names.
    public var models: [String]
    /// Their outputs; `nil` where a model failed or did not answer in time.
    public var outputs: [ModelOutput?]
    /// How the application measures errors.
    public var loss: Loss

    /// Answers of these models.
    public init(models: [String], outputs: [ModelOutput?], loss: Loss = .zeroOne) {
        self.models = models
        self.outputs = outputs
        self.loss = loss
    }

    /// The first output that there is, with the share of all members that agree with it.
    public var first: Combination {
        guard let index = outputs.firstIndex(where: { $0 != nil }), let output = outputs[index] else {
            return Combination(.text(""), confidence: 0)
        }
        guard outputs.count > 1 else { return Combination(.answer(index), confidence: 1) }
        let agreeing = outputs.count { $0?.agrees(with: output) == true }
        return Combination(.answer(index), confidence: Double(agreeing) / Double(outputs.count))
    }
}

/// What a policy makes of its models' answers.
public struct Combination: Sendable, Hashable {
    /// Where the output comes from.
    public enum Output: Sendable, Hashable {
        /// The answer of the member at this place, byte for byte.
        case answer(Int)
        /// A text of the policy's own; JSON where it is a value.
        case text(String)
    }

    /// The output.
    public var output: Output
    /// The share of the members, by weight, that agree with the output: 0 to 1. One that did not answer does not agree.
    public var confidence: Double
    /// The places of the members whose answers it was made of; `nil`: of all that answered.
    public var sources: [Int]?

    /// An output with its confidence, made of these members' answers, or of all.
    public init(_ output: Output, confidence: Double, sources: [Int]? = nil) {
        self.output = output
        self.confidence = confidence
        self.sources = sources
    }

    /// The places of those that it was made of, in their order, of these members' outputs.
    func places(of outputs: [ModelOutput?]) -> [Int] {
        let answered = outputs.indices.filter { outputs[$0] != nil }
        guard let sources else { return answered }
        // A policy of somebody's own may name nobody who has answered.
        let named = answered.filter(sources.contains)
        return named.isEmpty ? answered : named
    }
}

/// What answers have cost.
public struct SelectionFeedback: Sendable, Hashable {
    /// One model's answer, judged.
    public struct Observation: Sendable, Hashable {
        /// The model's name.
        public var model: String
        /// What its answer cost: 0 for a right one; finite and never negative.
        public var loss: Double
        /// How probable it was that it was among those that answer.
        public var probability: Double

        /// An observation of one model.
        public init(model: String, loss: Double, probability: Double = 1) {
            self.model = model
            self.loss = loss
            self.probability = probability
        }
    }

    /// The members of the selection that answered; or the only one, where that did not: it has cost what the default output did.
    public var observations: [Observation]
    /// The names of all models that could have been selected.
    public var models: [String]
    /// How the application measures errors.
    public var loss: Loss

    /// Feedback of these observations.
    public init(_ observations: [Observation], models: [String], loss: Loss = .zeroOne) {
        self.observations = observations
        self.models = models
        self.loss = loss
    }
}
