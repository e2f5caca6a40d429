/// Numbers for batches. They go around after 2³² of them; one that is still in flight on the replica is passed over.
struct BatchIDs: Sendable {
    private var last: UInt32

    init(last: UInt32) {
        self.last = last
    }

    mutating func next(except inFlight: [Batch]) -> UInt32 {
        repeat { last &+= 1 } while inFlight.contains { $0.id == last }
        return last
    }
}
