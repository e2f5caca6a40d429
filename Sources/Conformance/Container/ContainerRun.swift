public import ContainerRPC

/// Plays the frontend against a container, scenario by scenario.
public struct ContainerRun: Sendable {
    /// What is to be run, and how.
    public struct Options: Sendable {
        /// What starts the container.
        public var command: Command
        /// Which versions of the protocol the frontend speaks.
        public var versions: [RPCVersion] = [.three, .four]
        /// Whether a container that does not offer RPC 4 has failed; otherwise its scenarios are skipped.
        public var requiresVersion4 = false
        /// Whether a container that speaks RPC 4 alone has failed; otherwise those of RPC 3 are skipped.
        public var requiresVersion3 = false
        /// The scenarios' names; empty for all.
        public var only: [String] = []
        /// What the container is told to take; `nil` leaves it to the container.
        public var inputType: InputType?
        /// The inputs that are sent.
        public var inputs = InputChoice()
        /// How long is waited for what must come.
        public var bounds = Bounds()
        /// How many containers are at work at a time.
        public var jobs = 4
        /// The model's name that the container is told to register.
        public var modelName = "conformance"
        /// The model's version that the container is told to register.
        public var modelVersion = "1"

        /// All scenarios, in both versions, against the container that the command starts.
        public init(command: Command) {
            self.command = command
        }
    }

    /// A scenario in one version.
    typealias Item = ScenarioItem<ContainerScenario>

    let options: Options
    /// What is played, in the order of their printing.
    let items: [Item]

    /// A run of the scenarios that the options choose, in each version that they are for.
    public init(_ options: Options) {
        self.options = options
        items = Item.chosen(from: ContainerScenario.all, in: options.versions, only: options.only)
    }

    /// How many results there will be.
    package var count: Int { items.count }

    /// Plays all scenarios and returns what became of them, version by version, in the order of
    /// ``ListedScenario/ofContainers``.
    ///
    /// - Parameter progress: is told of each result as it comes, from any thread.
    public func run(progress: @escaping @Sendable (ScenarioResult) -> Void = { _ in }) async -> [ScenarioResult] {
        await onThread { runWaiting(progress: progress) }
    }

    private func runWaiting(progress: @escaping @Sendable (ScenarioResult) -> Void) -> [ScenarioResult] {
        let board = ScenarioBoard(count: items.count, progress: progress)
        // What registers nowhere fails once, not forty times after a minute each.
        let gates = items.indices.filter { items[$0].scenario.name == "registration" }
        perform(gates.map { [$0] }, board)
        let rest = items.indices.filter { !gates.contains($0) }
        let shared = options.versions.map { version in
            rest.filter { items[$0].version == version && items[$0].isShared }
        }
        let own = rest.filter { !items[$0].isShared }
        // What takes long begins first.
        let long = own.filter { items[$0].scenario.isLong }
        let short = own.filter { !items[$0].scenario.isLong }
        perform((long.map { [$0] } + shared + short.map { [$0] }).filter { !$0.isEmpty }, board)
        return board.all
    }

    /// Plays each group with one process, several groups at a time.
    private func perform(_ groups: [[Int]], _ board: ScenarioBoard) {
        inParallel(groups, jobs: options.jobs) { play($0, board) }
    }

    /// Plays scenarios one after the other, with one process as long as it serves.
    private func play(_ group: [Int], _ board: ScenarioBoard) {
        var stage: ContainerPlay?
        defer { stage?.end() }
        for index in group {
            let item = items[index]
            if let reason = board.reasonToSkip(item.version) {
                board.note(item.result(.skipped(reason)), at: index)
                continue
            }
            let begin = MonotonicTime.now()
            var verdict: Verdict
            do {
                let play =
                    try stage
                    ?? ContainerPlay(options, version: item.version, inputType: item.type, chosenIDs: board.chosenIDs)
                stage = play
                play.frontend.beginTranscript()
                verdict = outcome(of: item, play, board)
            } catch {
                verdict = .failed("the kit cannot play it: \(error)")
            }
            let output = verdict.isFailure ? stage?.process?.output ?? "" : ""
            board.note(
                item.result(
                    verdict, duration: .now() - begin, transcript: stage?.frontend.transcript ?? Transcript(),
                    output: output), at: index)
            // After a fault nobody knows what state the container is in.
            if verdict.isFailure || !item.isShared || stage?.session == nil {
                stage?.end()
                stage = nil
            }
        }
    }

    /// Opens a session; nothing else of this version is played for a container that never does.
    private func open(_ play: ContainerPlay, _ board: ScenarioBoard) throws {
        do {
            try play.openSession()
        } catch let fault as Fault {
            if !play.hasRegistered { board.skip(play.version, because: "the container did not register") }
            throw fault
        }
    }

    private func outcome(of item: Item, _ play: ContainerPlay, _ board: ScenarioBoard) -> Verdict {
        defer { board.noteSpoken(play.registeredVersions) }
        do {
            switch item.scenario.stage {
            case .shared, .own:
                if play.process == nil { try play.start() }
                if play.session == nil { try open(play, board) }
            case .unstarted, .typed: break
            }
            return .passed(note: try item.scenario.play(play))
        } catch let fault as Fault {
            if item.scenario.name == "registration", !play.hasRegistered {
                board.skip(item.version, because: "the container did not register (see registration)")
            }
            return .failed(fault.description)
        } catch let reason as Inapplicable {
            return .skipped(reason.reason)
        } catch is SpeaksOnlyVersion4 {
            guard !board.hasSpoken(.three) else {
                return .failed("expected new container, as it has registered before, but it opened another session")
            }
            if item.version == .three {
                let isFault = options.requiresVersion3
                board.skip(.three, because: isFault ? "the container did not register" : SpeaksOnlyVersion4.reason)
                if isFault { return .failed(SpeaksOnlyVersion4.reason) }
            }
            return .skipped(SpeaksOnlyVersion4.reason)
        } catch is NotOffered {
            let reason = "the container does not offer RPC 4: its routing id does not begin with rpc4-"
            board.skip(item.version, because: reason)
            return .skipped(reason)
        } catch {
            return .failed("the kit cannot play it: \(error)")
        }
    }
}

extension ScenarioItem<ContainerScenario> {
    fileprivate var isShared: Bool {
        if case .shared = scenario.stage { true } else { false }
    }

    fileprivate var type: InputType? {
        if case .typed(let type) = scenario.stage { type } else { nil }
    }
}
