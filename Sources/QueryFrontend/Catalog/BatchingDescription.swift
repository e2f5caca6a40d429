import ContainerRPC

/// Batching in parts, as the administration API and the store tell it; what is left out has its default.
package struct BatchingDescription: Codable, Sendable, Equatable {
    /// The names of the limits.
    package enum Policy: String, Sendable, CaseIterable {
        case deadline
        case aimd
        case fixed
    }

    /// What `aimd` adds to a limit unless told otherwise, in queries.
    package static let defaultIncrease = 2
    /// What `aimd` multiplies a limit with unless told otherwise (Clipper, NSDI 2017, section 4.3.1: back off by 10 %).
    package static let defaultBackoff = 0.9

    /// The name of the limit; left out, the batch size beside it says which.
    package var policy: String?
    /// Queries that `aimd` adds.
    package var increase: Int?
    /// What `aimd` multiplies with.
    package var backoff: Double?
    /// The size of `fixed`, in queries; left out, it is the batch size.
    package var size: Int?
    /// How long a replica may wait for company, in microseconds.
    package var maxDelayMicroseconds: Int?
    /// The most queries in a batch under any limit.
    package var maxBatch: Int?

    /// A description of these parts.
    package init(
        policy: String? = nil, increase: Int? = nil, backoff: Double? = nil, size: Int? = nil,
        maxDelayMicroseconds: Int? = nil, maxBatch: Int? = nil
    ) {
        self.policy = policy
        self.increase = increase
        self.backoff = backoff
        self.size = size
        self.maxDelayMicroseconds = maxDelayMicroseconds
        self.maxBatch = maxBatch
    }

    /// All parts that a batching has.
    package init(_ batching: Batching) {
        maxDelayMicroseconds = Int(batching.maxDelay.wholeMicroseconds)
        maxBatch = batching.maxBatch
        switch batching.limit {
        case .deadline:
            policy = Policy.deadline.rawValue
        case .aimd(let increase, let backoff):
            policy = Policy.aimd.rawValue
            self.increase = increase
            self.backoff = backoff
        case .fixed(let size):
            policy = Policy.fixed.rawValue
            self.size = size
        }
    }

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case policy
        case increase
        case backoff
        case size
        case maxDelayMicroseconds = "max_delay_micros"
        case maxBatch = "max_batch"
    }
}

extension BatchingDescription {
    /// What is described, beside a batch size, where `adaptive` leaves everything to the description.
    ///
    /// - Throws: ``CatalogError`` for parts that contradict each other or the batch size, or are out of range.
    package func batching(beside batchSize: BatchSize) throws(CatalogError) -> Batching {
        let limit = try limit(beside: batchSize)
        let batching = Batching(
            limit: limit, maxDelay: .microseconds(maxDelayMicroseconds ?? 0),
            maxBatch: maxBatch ?? Batching.defaultMaxBatch(for: limit))
        return try batching.validated()
    }

    /// The parts that are there, as a change of a model's options: a limit only where a policy or a batch size is named.
    ///
    /// - Throws: ``CatalogError`` for parts that contradict each other or the batch size, or whose policy is not named.
    package func options(beside batchSize: BatchSize?) throws(CatalogError) -> ModelOptions {
        if policy == nil, batchSize == nil {
            let ofPolicies = [(increase != nil, "increase"), (backoff != nil, "backoff"), (size != nil, "size")]
            if let name = ofPolicies.first(where: \.0)?.1 {
                throw CatalogError(
                    "batching: '\(name)' alone changes nothing: name the 'policy' that it belongs to, too")
            }
        }
        let isLimited = policy != nil || batchSize != nil
        return ModelOptions(
            limit: isLimited ? try limit(beside: batchSize ?? .adaptive) : nil,
            maxDelay: maxDelayMicroseconds.map { .microseconds($0) }, maxBatch: maxBatch)
    }

    private func limit(beside batchSize: BatchSize) throws(CatalogError) -> Batching.Limit {
        let policy = try knownPolicy() ?? (batchSize == .adaptive ? .deadline : .fixed)
        if policy != .aimd {
            try refuse(increase, "increase", of: .aimd, beside: policy)
            try refuse(backoff, "backoff", of: .aimd, beside: policy)
        }
        if policy != .fixed { try refuse(size, "size", of: .fixed, beside: policy) }
        switch (policy, batchSize) {
        case (.deadline, .adaptive):
            return .deadline
        case (.aimd, .adaptive):
            return .aimd(increase: increase ?? Self.defaultIncrease, backoff: backoff ?? Self.defaultBackoff)
        case (.fixed, .adaptive):
            guard let size else {
                throw CatalogError("batching: the policy 'fixed' needs a size: give 'size', or a positive batch_size")
            }
            return .fixed(size)
        case (.fixed, .fixed(let batchSize)) where size == nil || size == batchSize:
            return .fixed(batchSize)
        case (_, .fixed(let batchSize)):
            let described = size.map { "the fixed size \($0)" } ?? "the policy '\(policy.rawValue)'"
            throw CatalogError(
                "batching: \(described) contradicts the batch size \(batchSize); leave one of the two out "
                    + "(batch_size -1 leaves it to 'batching')")
        }
    }

    private func knownPolicy() throws(CatalogError) -> Policy? {
        guard let name = policy else { return nil }
        guard let policy = Policy(rawValue: name) else {
            let known = Policy.allCases.map(\.rawValue).joined(separator: ", ")
            throw CatalogError("batching: \(CatalogNames.quoted(name)) is no policy; these are: \(known)")
        }
        return policy
    }

    private func refuse(
        _ part: (some Sendable)?, _ name: String, of owner: Policy, beside policy: Policy
    ) throws(CatalogError) {
        guard part == nil else {
            throw CatalogError(
                "batching: '\(name)' belongs to the policy '\(owner.rawValue)', but the policy is '\(policy.rawValue)'")
        }
    }
}
