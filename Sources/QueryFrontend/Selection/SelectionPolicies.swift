/// The policies that applications can be registered with, by name.
public struct SelectionPolicies: Sendable {
    /// Why a description does not make a policy: what was wrong, and what is known.
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// What was wrong.
        public var description: String

        /// A problem in these words.
        public init(_ description: String) {
            self.description = description
        }
    }

    private var makers: [String: @Sendable (PolicyParameters) throws(Problem) -> any SelectionPolicy] = [:]

    /// No policies at all.
    public init() {}

    /// Adds a policy under a name; one that has this name already makes place.
    ///
    /// - Parameter make: makes it from the parameters of an application; throws `Problem` for those that are no use.
    public mutating func add(
        _ name: String, _ make: @escaping @Sendable (PolicyParameters) throws(Problem) -> any SelectionPolicy
    ) {
        makers[name] = make
    }

    /// The names, sorted.
    package var names: [String] { makers.keys.sorted() }

    /// The name as it was added, for one that differs in case, or by hyphens and underscores; `nil` for an unknown one.
    func knownName(for name: String) -> String? {
        if makers[name] != nil { return name }
        let plain = Self.plain(name)
        return makers.keys.sorted().first { Self.plain($0) == plain }
    }

    /// The most parameters of one policy: it is made anew with each change of the catalog, by the thread that dispatches.
    static let mostParameters = 1_000

    /// Makes the policy that is described.
    ///
    /// - Throws: `Problem` for an unknown name, for parameters that the policy does not take, and for more than 1,000.
    package func policy(for description: PolicyDescription) throws(Problem) -> any SelectionPolicy {
        guard let name = knownName(for: description.name), let make = makers[name] else {
            throw Problem("'\(description.name)' is no policy; these are: \(names.joined(separator: ", "))")
        }
        guard description.parameters.count <= Self.mostParameters else {
            throw Problem(
                "policy '\(name)': \(description.parameters.count) parameters were given; it takes "
                    + "\(Self.mostParameters) at most")
        }
        return try make(PolicyParameters(policy: name, description.parameters))
    }

    private static func plain(_ name: String) -> String {
        name.lowercased().filter { $0 != "-" && $0 != "_" }
    }
}

/// The parameters of a policy, read by it.
public struct PolicyParameters: Sendable {
    private let policy: String
    private let values: [String: PolicyDescription.Value]

    /// Parameters for a policy of this name.
    public init(policy: String, _ values: [String: PolicyDescription.Value] = [:]) {
        self.policy = policy
        self.values = values
    }

    /// The names that are given.
    public var names: [String] { values.keys.sorted() }

    /// Refuses all names but these.
    ///
    /// - Throws: `Problem` that names the first other one.
    public func refuseNames(except known: [String]) throws(SelectionPolicies.Problem) {
        for name in names where !known.contains(name) {
            let takes = known.isEmpty ? "takes no parameters" : "takes \(known.joined(separator: ", "))"
            throw SelectionPolicies.Problem("policy '\(policy)' has no parameter '\(name)'; it \(takes)")
        }
    }

    /// A number, or its default where it is not given.
    ///
    /// - Throws: `Problem` for a text, and for what is out of range.
    public func number(
        _ name: String, default standard: Double, in range: ClosedRange<Double>
    ) throws(SelectionPolicies.Problem) -> Double {
        switch values[name] {
        case nil:
            return standard
        case .number(let value):
            guard range.contains(value) else {
                throw SelectionPolicies.Problem(
                    "policy '\(policy)': '\(name)' must be \(range.lowerBound) to \(range.upperBound); "
                        + "\(value) was given")
            }
            return value
        case .text(let text):
            throw SelectionPolicies.Problem("policy '\(policy)': '\(name)' must be a number; '\(text)' was given")
        }
    }

    /// All parameters as numbers, by name, such as one for each model.
    ///
    /// - Throws: `Problem` for a text, and for what is out of range.
    public func numbers(in range: ClosedRange<Double>) throws(SelectionPolicies.Problem) -> [String: Double] {
        var numbers: [String: Double] = [:]
        for name in names { numbers[name] = try number(name, default: 0, in: range) }
        return numbers
    }
}
