/// A policy by its name and its parameters, as applications are registered with it and as the store keeps it.
public struct PolicyDescription: Sendable, Hashable {
    /// A parameter's value.
    public enum Value: Sendable, Hashable {
        /// A number.
        case number(Double)
        /// A text.
        case text(String)
    }

    /// The name that the policy is registered under.
    public var name: String
    /// Its parameters; what is left out has the policy's default.
    public var parameters: [String: Value]

    /// A policy of this name.
    public init(_ name: String, _ parameters: [String: Value] = [:]) {
        self.name = name
        self.parameters = parameters
    }

    /// Clipper's own policy: the first linked model answers.
    public static let standard = PolicyDescription("DefaultOutputSelectionPolicy")
}

/// How an application chooses among its models.
public struct SelectionSettings: Sendable, Hashable {
    /// The policy.
    public var policy: PolicyDescription
    /// How errors are measured when feedback comes.
    public var loss: Loss
    /// Below this confidence the default output is given: 0 (never) to 1.
    public var minConfidence: Double
    /// Names of models that get each query, whose answers are compared and counted, never returned.
    ///
    /// They are registered models, linked to the application or not; one that is linked too only watches.
    public var shadows: [String]

    /// Settings of these parts; without any, those of Clipper.
    public init(
        policy: PolicyDescription = .standard, loss: Loss = .zeroOne, minConfidence: Double = 0, shadows: [String] = []
    ) {
        self.policy = policy
        self.loss = loss
        self.minConfidence = minConfidence
        self.shadows = shadows
    }

    /// Whether queries go to one model without anything to choose, compare or learn, as in Clipper.
    package var isStandard: Bool { policy == .standard && shadows.isEmpty }
}
