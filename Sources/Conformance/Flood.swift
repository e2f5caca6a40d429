import ContainerRPC

/// Sees that a side which sends without a pause does not hold the kit up: a message that is there counts, also if it is
/// read when the time to wait is over, but not one after the other without an end.
struct Flood {
    static let most = 1_000
    private var late = 0

    /// A message was read, and one was waited for until `deadline`.
    mutating func note(at time: MonotonicTime, until deadline: MonotonicTime, from sender: String) throws(Fault) {
        late = time < deadline ? 0 : late + 1
        guard late < Self.most else {
            throw Fault(
                expected: "\(sender) to pause between messages",
                but: "\(late) came, each right after the one before it, when the time to wait was over")
        }
    }

    /// Nothing was there to be read.
    mutating func notePause() {
        late = 0
    }
}
