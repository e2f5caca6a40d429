import ContainerRPC

/// Says when containers may be judged after the process stood still: it was stopped, or its cgroup's time was used up, or its
/// machine was moved.
///
/// What has come meanwhile lies in the system's buffers, and libzmq's thread, which stood still as well, has not read it
/// when the dispatch thread looks: nothing seems to wait. So whoever seems silent or late may have answered. A moment
/// later libzmq has read it. But a machine that always keeps the thread waiting may not keep the loss of others from being
/// noticed.
struct StallWatch {
    /// By how much the thread comes too late by accident.
    private static let tolerance = Duration.milliseconds(5)
    /// How long what has come takes to be read.
    private static let pause = Duration.milliseconds(5)
    /// After how long everybody is judged, however often the thread comes too late.
    private static let patience = Duration.seconds(1)

    /// When the thread was to look at the clock again at the latest, had nothing kept it; `nil`: whenever something came.
    private var due: MonotonicTime?
    /// When containers may be judged again.
    private(set) var pauseEnd: MonotonicTime?
    /// Since when they were not.
    private var since: MonotonicTime?

    /// The thread looks at the clock: as its turn begins, and before it sleeps.
    mutating func look(now: MonotonicTime) {
        if let due, now - due > Self.tolerance {
            since = since ?? now
            pauseEnd = now + Self.pause
        }
        due = now
    }

    /// The thread sleeps until something comes, or until then.
    mutating func sleep(until deadline: MonotonicTime?) {
        due = deadline
    }

    /// Whether containers may be judged by what has come.
    mutating func judges(now: MonotonicTime) -> Bool {
        guard let pauseEnd, let since else { return true }
        guard now >= pauseEnd || now - since >= Self.patience else { return false }
        self.pauseEnd = nil
        self.since = nil
        return true
    }
}
