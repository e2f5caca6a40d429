public import ContainerRPC

/// What became of a scenario.
public enum Verdict: Hashable, Sendable {
    /// All was as it must be. The note says what was not as it should be, or could not be seen.
    case passed(note: String? = nil)
    /// Something was not as it must be: what was expected, and what was seen.
    case failed(String)
    /// It could not be tried, and why.
    case skipped(String)

    /// Whether it has failed.
    public var isFailure: Bool {
        if case .failed = self { true } else { false }
    }
}

/// The tested side is wrong: what was expected, and what was seen instead.
struct Fault: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// `expected` and `seen` complete "expected …, but …".
    init(expected: String, but seen: String) {
        description = "expected \(expected), but \(seen)"
    }
}

/// The scenario does not apply, and why.
struct Inapplicable: Error, Hashable {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// A scenario that was played, with one version of the protocol.
public struct ScenarioResult: Sendable {
    /// The scenario's name.
    public let name: String
    /// The version of the protocol that was spoken.
    public let version: RPCVersion
    /// What the scenario tests, in one line.
    public let summary: String
    /// The section of the specification, such as `rpc-4.md 8.5`.
    public let section: String
    /// What became of it.
    public let verdict: Verdict
    /// How long it took.
    public let duration: Duration
    /// All messages of both sides.
    package let transcript: Transcript
    /// The end of what the tested program printed, if it was started for this run.
    public let output: String

    /// What it is called in a report: the version and the name.
    public var title: String { "rpc-\(version.rawValue)/\(name)" }

    /// What the verdict says besides, or nothing.
    public var remark: String {
        switch verdict {
        case .passed(let note): note ?? ""
        case .failed(let message): message
        case .skipped(let reason): reason
        }
    }
}
