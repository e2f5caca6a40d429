import ContainerRPC

/// How long before the expected end of what a replica has the next batch is sent to it, so that the way there and back is
/// hidden.
///
/// Sent too late, the replica waits, and every later batch is the larger for it. Sent too early, the batch only waits at
/// the replica instead of in the queue, where it could still grow. A container that tells what its model took (RPC 4) shows
/// how long it was without work between two batches: its turn from one to the next, and as much of the way as the batch was
/// not sent ahead. Turn and way are fitted to that, and a margin makes few batches come too late.
///
/// Of a container that does not tell, nothing is known, because a replica that waits shows as slower than it is: there the
/// lead is a share of the batch.
struct Lead: Sendable {
    /// One over the presumed share.
    private static let presumedPart = 5
    private static let presumed = Duration.microseconds(500)...Duration.milliseconds(2)
    /// A way that is nothing would never show that a batch came too late.
    private static let shortest = Duration.microseconds(100)
    private static let longest = Duration.milliseconds(5)
    /// One over the share of batches that come too late, of those that could have been sent in time. The share is small
    /// because beyond the capacity, where more waits than a batch holds, only a lead that is too short costs anything. Just
    /// below it, with ways that stray, one in eight would be a little better.
    private static let rarity = 24
    /// One over the part of the way that a batch in time takes from the margin. One that is too late adds `rarity - 1` times
    /// as much, so that the two balance.
    private static let marginPart = 192
    /// One over the part of a surprise that is believed.
    private static let beliefPart = 8
    /// A batch is believed to be off by one over this of way or turn at most, and by so much at least: machines stall.
    private static let surprisePart = 4
    private static let leastSurprise = Duration.microseconds(20)
    /// One over the part by which the way grows when the container has waited for a batch that seemed to be in time.
    private static let growthPart = 128

    /// There and back; `nil` while nothing has told of it.
    private var way: Duration?
    /// From the end of one batch to the start of the next one, where that has already arrived.
    private var turn = Duration.zero
    /// What is added to the way, because ends are not foreseen exactly and ways differ.
    private var margin = Duration.zero

    /// The lead before the end of a batch that is expected to take so long.
    func time(of batch: Duration) -> Duration {
        if let way { return min(way + margin, Self.longest) }
        return min(max(batch / Self.presumedPart, Self.presumed.lowerBound), Self.presumed.upperBound)
    }

    /// A batch was answered so long after the previous answer, or after it was sent if that was later.
    ///
    /// - Parameters:
    ///   - ahead: how long before the previous answer the batch was sent; zero where it was sent after that.
    ///   - waited: how long before the previous answer its first query was there, to be sent; negative where it came later.
    ///   - computeTime: what the container says that its model took.
    mutating func note(_ duration: Duration, ahead: Duration, waited: Duration, computeTime: Duration) {
        let pause = max(.zero, duration - computeTime)
        guard let known = way else {
            // The first batch may be slow for other reasons: no more is believed than would be presumed.
            way = min(max(pause, Self.shortest), Self.presumed.upperBound)
            return
        }
        // How long the container should have waited for the batch, and how long it did.
        let lack = known - ahead
        let idle = pause - turn
        if lack > .zero {
            way = clamped(known + believed(idle - lack, of: known))
        } else {
            turn = max(.zero, turn + believed(idle, of: turn))
            if idle * 2 > known { way = clamped(known + known / Self.growthPart) }
        }
        // One whose first query came too late for any lead tells nothing of the margin.
        guard waited >= known else { return }
        if lack > .zero, idle * 2 > lack {
            margin = min(margin + known * (Self.rarity - 1) / Self.marginPart, Self.longest)
        } else {
            // In time; or it only seemed too late, because the way is shorter than it is believed to be.
            margin = max(.zero, margin - known / Self.marginPart)
        }
    }

    /// What a surprise changes.
    private func believed(_ surprise: Duration, of value: Duration) -> Duration {
        let most = max(value / Self.surprisePart, Self.leastSurprise)
        return min(max(surprise, .zero - most), most) / Self.beliefPart
    }

    private func clamped(_ way: Duration) -> Duration { min(max(way, Self.shortest), Self.longest) }
}
