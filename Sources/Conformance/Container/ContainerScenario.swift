import ContainerRPC

/// One thing that a container must do, and how it is tried.
struct ContainerScenario: ConformanceScenario {
    /// Which process a scenario is played with.
    enum Stage: Sendable {
        /// A session that stands, of a process that other scenarios use too.
        case shared
        /// A process of its own, with a session.
        case own
        /// A process of its own, which has not been started.
        case unstarted
        /// A process of its own that is told to take this type, and has not been started.
        case typed(InputType)
    }

    /// What it is called on the command line.
    let name: String
    /// What it tests, in one line.
    let summary: String
    /// The section of the specification, for each version that it can be played in.
    let sections: [RPCVersion: String]
    let stage: Stage
    /// Whether it takes long, and is best begun early.
    let isLong: Bool
    /// Plays it; a returned text is a note.
    let play: @Sendable (ContainerPlay) throws -> String?

    init(
        _ name: String, _ summary: String, rpc3 three: String? = nil, rpc4 four: String? = nil, stage: Stage = .shared,
        isLong: Bool = false, _ play: @escaping @Sendable (ContainerPlay) throws -> String?
    ) {
        self.name = name
        self.summary = summary
        sections = Self.sections(rpc3: three, rpc4: four)
        self.stage = stage
        self.isLong = isLong
        self.play = play
    }

    /// All scenarios, in the order of their printing.
    static let all: [ContainerScenario] =
        registering + batching + listening + misbehaving + growing + negotiating + parting + inHand + stopping
}
