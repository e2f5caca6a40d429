import ContainerRPC

/// How times were distributed since the start, and lately: a percentile since the start says nothing about now.
///
/// The present window, the one before it and all that was before those are kept apart, so that a value is recorded once.
struct RecentDistribution: Sendable {
    /// "Lately" is the last one to two of these.
    static let window = Duration.seconds(15)

    private var earlier = Distribution.microseconds
    private var previous = Distribution.microseconds
    private var present = Distribution.microseconds
    private var presentEnds: MonotonicTime

    init(now: MonotonicTime) {
        presentEnds = now + Self.window
    }

    mutating func record(_ duration: Duration, now: MonotonicTime) {
        catchUp(now)
        present.record(duration)
    }

    /// Since the start.
    var total: Distribution {
        var total = earlier
        total.add(previous)
        total.add(present)
        return total
    }

    /// Of the last one to two windows; where nothing came in those, since the start.
    func recent(now: MonotonicTime) -> Distribution {
        var copy = self
        copy.catchUp(now)
        var recent = copy.previous
        recent.add(copy.present)
        return recent.count > 0 ? recent : total
    }

    private mutating func catchUp(_ now: MonotonicTime) {
        guard now >= presentEnds else { return }
        earlier.add(previous)
        previous = present
        present = .microseconds
        if now >= presentEnds + Self.window {
            // More than a whole window went by without a value.
            earlier.add(previous)
            previous = .microseconds
            presentEnds = now + Self.window
        } else {
            presentEnds += Self.window
        }
    }
}
