public import ContainerRPC

/// One thing that a frontend must do, and how it is tried.
struct FrontendScenario: ConformanceScenario {
    let name: String
    /// What it tests, in one line.
    let summary: String
    /// The section of the specification, for each version that it can be played in.
    let sections: [RPCVersion: String]
    /// Plays it; a returned text is a note.
    let play: @Sendable (FrontendPlay) throws -> String?

    init(
        _ name: String, _ summary: String, rpc3 three: String? = nil, rpc4 four: String? = nil,
        _ play: @escaping @Sendable (FrontendPlay) throws -> String?
    ) {
        self.name = name
        self.summary = summary
        sections = Self.sections(rpc3: three, rpc4: four)
        self.play = play
    }

    /// All scenarios, in the order of their printing.
    static let all: [FrontendScenario] =
        registering + batching + answering + misbehaving + growing + parting
}

/// Plays containers against a running frontend, scenario by scenario.
public struct FrontendRun: Sendable {
    /// Where the frontend is, and how it is tested.
    public struct Options: Sendable {
        /// Where containers connect, such as `tcp://127.0.0.1:7000`.
        public var rpcEndpoint: String
        /// Where queries go.
        public var query: HTTPAddress
        /// Where applications and models are registered.
        public var administration: HTTPAddress
        /// Which versions of the protocol the containers speak.
        public var versions: [RPCVersion] = [.three, .four]
        /// Whether a frontend that does not speak RPC 4 has failed; otherwise its scenarios are skipped.
        public var requiresVersion4 = false
        /// Whether a frontend that speaks RPC 4 alone has failed; otherwise the scenarios of RPC 3 are skipped.
        public var requiresVersion3 = false
        /// The scenarios' names; empty for all.
        public var only: [String] = []
        /// How long is waited for what must come.
        public var bounds = Bounds()
        /// The latency objective of the kit's applications: the containers answer at once, or not at all.
        public var latencyObjective: Duration = .seconds(60)
        /// How many scenarios are played at a time.
        public var jobs = 4

        /// All scenarios, in both versions, against the frontend at these addresses.
        public init(rpcEndpoint: String, query: HTTPAddress, administration: HTTPAddress) {
            self.rpcEndpoint = rpcEndpoint
            self.query = query
            self.administration = administration
        }
    }

    /// A scenario in one version.
    typealias Item = ScenarioItem<FrontendScenario>

    let options: Options
    /// What is played, in the order of their printing.
    let items: [Item]

    /// A run of the scenarios that the options choose, in each version that they are for.
    public init(_ options: Options) {
        self.options = options
        items = Item.chosen(from: FrontendScenario.all, in: options.versions, only: options.only)
    }

    /// How many results there will be.
    package var count: Int { items.count }

    /// Plays all scenarios and returns what became of them, version by version, in the order of
    /// ``ListedScenario/ofFrontends``.
    ///
    /// - Parameter progress: is told of each result as it comes, from any thread.
    public func run(progress: @escaping @Sendable (ScenarioResult) -> Void = { _ in }) async -> [ScenarioResult] {
        await onThread { runWaiting(progress: progress) }
    }

    private func runWaiting(progress: @escaping @Sendable (ScenarioResult) -> Void) -> [ScenarioResult] {
        let board = ScenarioBoard(count: items.count, progress: progress)
        // The first of each version tells whether there is anything to test.
        let gates = options.versions.compactMap { version in items.firstIndex { $0.version == version } }
        inParallel(gates, jobs: 1) { play($0, board) }
        inParallel(items.indices.filter { !gates.contains($0) }, jobs: options.jobs) { play($0, board) }
        return board.all
    }

    private func play(_ index: Int, _ board: ScenarioBoard) {
        let item = items[index]
        if let reason = board.reasonToSkip(item.version) {
            return board.note(item.result(.skipped(reason)), at: index)
        }
        let begin = MonotonicTime.now()
        var transcript = Transcript()
        var verdict: Verdict
        do {
            let play = try FrontendPlay(options, version: item.version)
            defer {
                play.cleanUp()
                transcript = play.transcript
            }
            verdict = .passed(note: try item.scenario.play(play))
            board.noteSpoken([item.version])
        } catch let fault as Fault {
            verdict = .failed(fault.description)
        } catch let reason as Inapplicable {
            verdict = .skipped(reason.reason)
        } catch is NotOffered {
            let reason = "the frontend answers a routing id that begins with rpc4- in RPC 3"
            board.skip(item.version, because: reason)
            verdict = options.requiresVersion4 ? .failed("expected RPC 4, but \(reason)") : .skipped(reason)
        } catch is FrontendSpeaksOnlyVersion4 {
            let reason = FrontendSpeaksOnlyVersion4.reason
            let isFault = board.hasSpoken(.three) || (item.version == .three && options.requiresVersion3)
            if item.version == .three, !board.hasSpoken(.three) { board.skip(.three, because: reason) }
            verdict = isFault ? .failed("expected RPC 3, but \(reason)") : .skipped(reason)
        } catch let failure as HTTPFailure {
            verdict = .failed("\(failure)")
        } catch {
            verdict = .failed("the kit cannot play it: \(error)")
        }
        board.note(item.result(verdict, duration: .now() - begin, transcript: transcript), at: index)
    }
}

/// The frontend does not answer who does not offer RPC 4, which one of RPC 4 alone does.
struct FrontendSpeaksOnlyVersion4: Error {
    static let reason =
        "the frontend speaks RPC 4 alone: it answers no peer that does not offer that (rpc-4.md 2, rule 8)"
}
