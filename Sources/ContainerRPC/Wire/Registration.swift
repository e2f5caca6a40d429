/// What a container says of itself: which version of which model it serves, what it takes, and how much of it.
public struct Registration: Sendable {
    /// The model's name; 1 to 256 bytes, without `,`, `:` and control characters.
    public var modelName: String
    /// Its version, under the same rule.
    public var modelVersion: String
    /// What it takes.
    public var inputType: InputType
    /// The version of the protocol that the container registers in.
    public var rpcVersion: RPCVersion
    /// What RPC 4 says besides; a container of RPC 3 states nothing of it.
    public var details: RegistrationDetails

    /// A registration of that model. What breaks a rule is found by who decodes it.
    public init(
        modelName: String, modelVersion: String, inputType: InputType, rpcVersion: RPCVersion = .three,
        details: RegistrationDetails = RegistrationDetails()
    ) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.inputType = inputType
        self.rpcVersion = rpcVersion
        self.details = details
    }
}

/// What a container of RPC 4 may say of itself beside its model (`protocol/rpc-4.md`, section 5).
public struct RegistrationDetails: Hashable, Sendable {
    /// The container's software and its version, such as `swift-clipper/0.1.0`.
    public var software: String?
    /// The most inputs that it takes in one batch.
    public var largestBatch: Int?
    /// The most unanswered batches that it takes.
    public var batchesInFlight: Int?
    /// What a person may want to know of it: framework, host, pid. On the wire a later pair replaces an earlier one.
    public var metadata: [MetadataPair] = []
    /// Its heartbeats come also while its model is at work.
    public var beatsWhileBusy = false
    /// It wants to be told what the right answers were, by a frontend that tells; this package's does not.
    public var wantsFeedback = false

    /// Nothing stated.
    public init() {}
}

/// One key of a container's metadata with its value.
public struct MetadataPair: Hashable, Sendable {
    /// What is told, such as `framework`.
    public var key: String
    /// The telling text.
    public var value: String

    /// A key with its value.
    public init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

extension Registration: Hashable {
    // Two texts are equal on the wire when their bytes are. Swift's `==` takes canonically equivalent ones for one.

    public static func == (left: Registration, right: Registration) -> Bool {
        left.inputType == right.inputType && left.rpcVersion == right.rpcVersion && left.details == right.details
            && left.modelName.utf8.elementsEqual(right.modelName.utf8)
            && left.modelVersion.utf8.elementsEqual(right.modelVersion.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(inputType)
        for byte in modelName.utf8 { hasher.combine(byte) }
        hasher.combine(UInt8(ascii: ":"))
        for byte in modelVersion.utf8 { hasher.combine(byte) }
    }
}

extension Registration: CustomStringConvertible {
    public var description: String { "\(modelName):\(modelVersion) (\(inputType))" }
}
