import ContainerRPC

/// The results of a run, as its threads note them.
final class ScenarioBoard: Sendable {
    private let results: Locked<[ScenarioResult?]>
    private let reasons = Locked<[RPCVersion: String]>([:])
    private let spoken = Locked<Set<RPCVersion>>([])
    let chosenIDs = ChosenIDs()
    private let progress: @Sendable (ScenarioResult) -> Void

    init(count: Int, progress: @escaping @Sendable (ScenarioResult) -> Void) {
        results = Locked(Array(repeating: nil, count: count))
        self.progress = progress
    }

    /// From now on nothing of this version is played.
    func skip(_ version: RPCVersion, because reason: String) {
        reasons.withLock { $0[version] = $0[version] ?? reason }
    }

    func reasonToSkip(_ version: RPCVersion) -> String? {
        reasons.withLock { $0[version] }
    }

    /// The tested side has registered in these.
    func noteSpoken(_ versions: Set<RPCVersion>) {
        spoken.withLock { $0.formUnion(versions) }
    }

    func hasSpoken(_ version: RPCVersion) -> Bool {
        spoken.withLock { $0.contains(version) }
    }

    func note(_ result: ScenarioResult, at index: Int) {
        results.withLock { $0[index] = result }
        // What fails because the kit is interrupted is no news.
        if !CleanUps.shared.isOver { progress(result) }
    }

    var all: [ScenarioResult] { results.withLock { $0.compactMap { $0 } } }
}
