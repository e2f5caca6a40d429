import ContainerRPC
import Foundation

/// What a scenario says of itself, whichever side it tests.
protocol ConformanceScenario: Sendable {
    /// What it is called on the command line.
    var name: String { get }
    /// What it tests, in one line.
    var summary: String { get }
    /// The section of the specification, for each version that it can be played in.
    var sections: [RPCVersion: String] { get }
}

extension ConformanceScenario {
    /// Sections by the version of their document.
    static func sections(rpc3 three: String?, rpc4 four: String?) -> [RPCVersion: String] {
        var sections: [RPCVersion: String] = [:]
        if let three { sections[.three] = "rpc-3.md \(three)" }
        if let four { sections[.four] = "rpc-4.md \(four)" }
        return sections
    }
}

/// A scenario in one version.
struct ScenarioItem<Scenario: ConformanceScenario>: Sendable {
    let scenario: Scenario
    let version: RPCVersion

    /// Those that can be played in the versions, version by version.
    ///
    /// - Parameter names: the scenarios' names; empty for all.
    static func chosen(from scenarios: [Scenario], in versions: [RPCVersion], only names: [String]) -> [ScenarioItem] {
        versions.flatMap { version in
            scenarios.filter { scenario in
                scenario.sections[version] != nil && (names.isEmpty || names.contains(scenario.name))
            }.map { ScenarioItem(scenario: $0, version: version) }
        }
    }

    func result(
        _ verdict: Verdict, duration: Duration = .zero, transcript: Transcript = Transcript(), output: String = ""
    ) -> ScenarioResult {
        ScenarioResult(
            name: scenario.name, version: version, summary: scenario.summary,
            section: scenario.sections[version] ?? "", verdict: verdict, duration: duration, transcript: transcript,
            output: output)
    }
}

/// Runs what waits on a thread of its own: the pool's are few.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread { continuation.resume(returning: body()) }.start()
    }
}
