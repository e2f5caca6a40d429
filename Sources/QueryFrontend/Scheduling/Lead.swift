import ContainerRPC

/// How long before the expected end of what a replica has the next batch is sent to it, so that the way there and back is
/// hidden.
///
/// Sent too late, the replica waits, and every later batch is the larger for it. Sent too early, the batch only waits at
/// the replica instead of in the queue, where it could still grow. Near its capacity a replica's waiting costs queries some
/// four times as much as their own; beyond it theirs costs nothing. The lead is what makes few batches come too late.
///
/// A container that tells what its model took (RPC 4) shows how long it was without work between two batches: its turn
/// from one to the next, and as much of the way as the batch was not sent ahead. Both are fitted to that. Of one that does
/// not tell, nothing is known, because a replica that waits shows as slower than it is: there the lead is a share of the
/// batch.
struct Lead: Sendable {
    private static let share = 5
    private static let presumed = Duration.microseconds(500)...Duration.milliseconds(2)
    /// Not nothing, or no batch would ever show that it came too late.
    private static let shortest = Duration.microseconds(100)
    private static let longest = Duration.milliseconds(5)
    /// One over the share of batches that come too late.
    private static let rarity = 24
    /// What one batch takes from the margin, as a part of the way; one that comes too late adds `rarity` times as much.
    private static let step = 192
    /// What one batch moves what is believed of way and turn, as a part of how far off it is.
    private static let gain = 8
    /// A batch is believed to be off by so large a part of them at most, and by so much at least: machines stall.
    private static let surpriseShare = 4
    private static let leastSurprise = Duration.microseconds(20)

    /// There and back; `nil` while nothing has told of it.
    private var way: Duration?
    /// From the end of one batch to the begin of the next one where that is there.
    private var turn = Duration.zero
    /// What is added to the way, because ends are not foreseen exactly and ways differ.
    private var margin = Duration.zero

    /// The lead before the end of a batch that is expected to take so long.
    func time(of batch: Duration) -> Duration {
        if let way { return min(way + margin, Self.longest) }
        return min(max(batch / Self.share, Self.presumed.lowerBound), Self.presumed.upperBound)
    }

    /// A batch came back for which the container has worked so long: after the answer before it, if it was sent by then, or
    /// else after it was sent.
    ///
    /// - Parameter ahead: how long before the answer before it was sent; `nil` where nothing waited when that came.
    mutating func note(_ duration: Duration, ahead: Duration?, computeTime: Duration) {
        let waited = min(max(.zero, duration - computeTime), Self.longest)
        guard let known = way else {
            // The first batch may take its time.
            way = min(max(waited, Self.shortest), Self.presumed.upperBound)
            return
        }
        // What the container should have waited for the batch, and what it did.
        let lack = known - (ahead ?? .zero)
        let idle = waited - turn
        if lack > .zero {
            way = min(max(known + believed(idle - lack, of: known), Self.shortest), Self.longest)
        } else {
            turn = max(.zero, turn + believed(idle, of: turn))
        }
        if ahead != nil, lack > .zero, idle * 2 > lack {
            margin = min(margin + known * (Self.rarity - 1) / Self.step, Self.longest)
        } else {
            margin = max(.zero, margin - known / Self.step)
        }
    }

    /// What a surprise changes.
    private func believed(_ surprise: Duration, of value: Duration) -> Duration {
        let most = max(value / Self.surpriseShare, Self.leastSurprise)
        return min(max(surprise, .zero - most), most) / Self.gain
    }
}
