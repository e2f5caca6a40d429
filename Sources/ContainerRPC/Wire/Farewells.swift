/// Why a side goes; the raw value is the one on the wire (`protocol/rpc-4.md`, section 7.3). Another than these is
/// treated as `stopping`.
public struct GoodbyeCode: RawRepresentable, Hashable, Sendable {
    /// The sender ends.
    public static let stopping = GoodbyeCode(rawValue: 1)
    /// The sender ends and expects to be back.
    public static let restarting = GoodbyeCode(rawValue: 2)
    /// An operator has drained this replica.
    public static let drained = GoodbyeCode(rawValue: 3)

    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A side of a session is about to go.
public struct Goodbye: Hashable, Sendable {
    /// Why it goes.
    public var code: GoodbyeCode
    /// For a person.
    public var reason: String?

    /// A goodbye with that code.
    public init(_ code: GoodbyeCode, reason: String? = nil) {
        self.code = code
        self.reason = reason
    }
}

/// Why a registration is not taken; the raw value is the one on the wire (`protocol/rpc-4.md`, section 7.2).
public struct RefusalCode: RawRepresentable, Hashable, Sendable {
    /// The model is registered with another input type.
    public static let inputTypeMismatch = RefusalCode(rawValue: 1)
    /// The registration has a mandatory field that the frontend does not know.
    public static let unknownField = RefusalCode(rawValue: 2)
    /// The frontend takes no more containers.
    public static let tooMany = RefusalCode(rawValue: 3)
    /// The registration was malformed.
    public static let invalid = RefusalCode(rawValue: 4)
    /// An operator does not want this container.
    public static let notWanted = RefusalCode(rawValue: 5)

    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A registration is not taken.
public struct Refusal: Hashable, Sendable {
    /// Why it is not taken.
    public var code: RefusalCode
    /// What was wrong and what to do, for a person.
    public var reason: String?
    /// After this the container may try again; it waits at least 100 ms whatever stands here.
    public var retryAfter: Duration?

    /// A refusal with that code.
    public init(_ code: RefusalCode, reason: String? = nil, retryAfter: Duration? = nil) {
        self.code = code
        self.reason = reason
        self.retryAfter = retryAfter
    }
}

/// A frontend's answer to a container that it does not know: how the session is to be kept.
public struct Welcome: Hashable, Sendable {
    /// A container that has sent nothing for so long sends a heartbeat.
    public var heartbeatInterval: Duration
    /// A side that has received nothing for so long gives the session up.
    public var silenceLimit: Duration
    /// The frontend's software and its version.
    public var software: String?

    /// A welcome with these times, in whole milliseconds on the wire.
    public init(heartbeatInterval: Duration, silenceLimit: Duration, software: String? = nil) {
        self.heartbeatInterval = heartbeatInterval
        self.silenceLimit = silenceLimit
        self.software = software
    }
}

/// A whole batch failed, or was not computed.
public struct BatchFailure: Hashable, Sendable {
    /// The id of the request.
    public var id: UInt32
    /// What kind of failure it is.
    public var code: FailureCode
    /// What happened, for a person.
    public var reason: String?

    /// The failure of the batch that was requested under this id.
    public init(id: UInt32, code: FailureCode, reason: String? = nil) {
        self.id = id
        self.code = code
        self.reason = reason
    }
}

/// What the right answers to inputs were.
public struct FeedbackMessage: Hashable, Sendable {
    /// Its number, which is that of no batch.
    public var id: UInt32
    /// The inputs.
    public var inputs: InputValues
    /// One label for each input.
    public var labels: Outputs

    /// Feedback on these inputs, of as many labels.
    public init(id: UInt32, inputs: InputValues, labels: Outputs) {
        self.id = id
        self.inputs = inputs
        self.labels = labels
    }
}
