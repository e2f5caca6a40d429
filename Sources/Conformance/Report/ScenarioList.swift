public import ContainerRPC

/// A scenario, as lists show it.
public struct ListedScenario: Sendable {
    /// What it is called in `only`, and on the command line.
    public let name: String
    /// What it tests, in one line.
    public let summary: String
    /// The section of the specification, for each version that the scenario is played in.
    public let sections: [RPCVersion: String]

    /// The versions, ascending.
    public var versions: [RPCVersion] { sections.keys.sorted { $0.rawValue < $1.rawValue } }

    /// What is played against containers.
    public static let ofContainers: [ListedScenario] = ContainerScenario.all.map {
        ListedScenario(name: $0.name, summary: $0.summary, sections: $0.sections)
    }

    /// What is played against frontends.
    public static let ofFrontends: [ListedScenario] = FrontendScenario.all.map {
        ListedScenario(name: $0.name, summary: $0.summary, sections: $0.sections)
    }
}
