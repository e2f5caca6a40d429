/// How long the kit waits. These are bounds: what comes earlier ends the wait.
public struct Bounds: Hashable, Sendable {
    /// For what must come at once: an answer to a small message.
    public var answer: Duration = .seconds(15)
    /// From the start of a program to its first message.
    public var start: Duration = .seconds(60)
    /// For a session that follows another: the longest pause between two is 5 s.
    public var session: Duration = .seconds(20)
    /// How much later than stated a heartbeat may come.
    public var tardiness: Duration = .seconds(1)
    /// For a process to end that has nothing left to wait for.
    public var ending: Duration = .seconds(3)

    /// Bounds for a machine on which an answer may take that long; those of sessions, heartbeats and ends follow from it.
    public init(answer: Duration = .seconds(15), start: Duration = .seconds(60)) {
        self.answer = answer
        session = answer + .seconds(5)
        // Who is patient with answers, because the machine has much to do, is so with heartbeats.
        tardiness = max(.seconds(1), answer / 10)
        ending = .seconds(2) + tardiness
        self.start = start
    }
}

extension Duration {
    /// For a person: `250 ms`, `1.5 s`.
    var text: String {
        let milliseconds = inMilliseconds
        return milliseconds < 1_000 ? "\(milliseconds) ms" : "\(tenths(milliseconds)) s"
    }

    /// Whole milliseconds, rounded down.
    var inMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    private func tenths(_ milliseconds: Int64) -> String {
        let tenths = (milliseconds + 50) / 100
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
