/// How long a container pauses between two sessions (`protocol/rpc-3.md`, section 8.2).
struct ReconnectPause: Sendable {
    /// Sessions in a row that ended early and without an answered batch.
    private var failures = 0
    /// Since when the frontend has said something in this session.
    private var answeredSince: MonotonicTime?

    /// Whether the frontend has said anything in this session.
    var isAnswered: Bool { answeredSince != nil }

    /// The frontend has said something.
    mutating func noteAnswer(now: MonotonicTime) {
        if answeredSince == nil { answeredSince = now }
    }

    /// A batch has been answered, if only by saying that it failed.
    mutating func noteAnsweredBatch() {
        failures = 0
    }

    /// A session has ended: after how long the next one begins. The pause doubles with each failure. A failed batch or a
    /// lost connection alone costs next to nothing; a frontend of another version is asked again rarely.
    mutating func end(
        of reason: ContainerSession.CloseReason, timing: SessionTiming, now: MonotonicTime
    ) -> Duration {
        // A session that was well for long has nothing to do with the failures before it.
        if let answeredSince, now - answeredSince >= timing.longestBackoff { failures = 0 }
        answeredSince = nil
        if case .malformed(let error) = reason, error.kind == .unsupportedVersion { return timing.longestBackoff }
        // A frontend that names no time at all would be asked without a pause.
        if case .refused(let refusal) = reason {
            return max(timing.firstBackoff, refusal.retryAfter ?? SessionTiming.refusalPause)
        }
        defer { failures += 1 }
        if failures == 0, reason == .batchFailed { return .zero }
        return min(timing.firstBackoff * (1 << min(failures, 16)), timing.longestBackoff)
    }
}
