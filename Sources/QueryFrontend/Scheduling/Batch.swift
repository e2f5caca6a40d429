import ContainerRPC

/// Queries that a replica is working on, in the order of their deadlines.
struct Batch: Sendable {
    var id: UInt32
    var queries: [QueryTable.Reference]
    var sent: MonotonicTime
    /// When the replica begins with it: when it was sent or, behind another batch, when that one ends.
    var starts: MonotonicTime
    /// When each of its queries was due for the one who then waited first; they rise.
    var deadlines: [MonotonicTime]
    /// The time that was left for the first of them when it came.
    var allowance: Duration
    /// The same for the query in the middle.
    var usualAllowance: Duration
    /// Since when its first query could have been sent.
    var sendable: MonotonicTime
    /// How many of those deadlines have come.
    var expired = 0
    /// When no answer to it is of use any more, as its replica was told.
    var expires = MonotonicTime.distantFuture
    /// When its queries may be sent to another replica as well.
    var hedgeAt = MonotonicTime.distantFuture
    /// Since when nothing is expected of it any more, though its replica answers others: it may be lost there.
    var missingSince: MonotonicTime?

    var size: Int { queries.count }
    var isMissing: Bool { missingSince != nil }

    /// The first of those deadlines that is still to come.
    var nextDeadline: MonotonicTime? { expired < deadlines.count ? deadlines[expired] : nil }
}
