import ContainerRPC

/// How a batch was answered.
enum BatchAnswer {
    case results(PredictResponse)
    case failure(BatchFailure)
}

/// The batches of a session and their answers: sees that each is answered once, with its own id and its own number of
/// outputs.
struct BatchBook {
    /// A batch that waits for its answers: how many inputs it has, and how many answers are still due.
    private struct Batch {
        var inputs: Int
        var due: Int
    }

    private var inFlight: [UInt32: Batch] = [:]
    private var done: Set<UInt32> = []
    /// Batches from before each *request-metadata* or *welcome* that has not been followed by a registration yet: they
    /// may be answered until that comes.
    private var doomed: [[UInt32: Batch]] = []
    private var forgotten: Set<UInt32> = []
    /// Batches of earlier sessions that were in hand when those ended.
    private var orphans: Set<UInt32> = []
    /// The answers, in the order in which they came.
    private(set) var answers: [(id: UInt32, answer: BatchAnswer)] = []

    /// How many answers are due.
    var waiting: Int { inFlight.values.reduce(0) { $0 + $1.due } }

    /// Whether the container was asked to register anew, and has not yet.
    var isAsked: Bool { !doomed.isEmpty }

    /// Whether this batch was in hand when its session ended.
    func isOrphan(_ id: UInt32) -> Bool { orphans.contains(id) }

    /// A batch was sent.
    mutating func sent(_ id: UInt32, inputs: Int) {
        inFlight[id, default: Batch(inputs: inputs, due: 0)].due += 1
    }

    /// Something was sent that must not be answered.
    mutating func sentUnanswerable(_ id: UInt32) {
        forgotten.insert(id)
    }

    /// The container was asked to register anew: no answer to what is in flight is due any more.
    mutating func doom() {
        doomed.append(inFlight)
        inFlight = [:]
    }

    /// The container has registered anew: what was in flight when it was asked to must not be answered from now on.
    mutating func forget() {
        guard !doomed.isEmpty else { return }
        forgotten.formUnion(doomed.removeFirst().keys)
    }

    /// The session has ended: what was in hand must not be answered in another.
    mutating func endSession() {
        let left = doomed.reduce(into: Set(inFlight.keys)) { $0.formUnion($1.keys) }
        let (forgotten, orphans) = (self.forgotten, self.orphans.union(left))
        self = BatchBook()
        (self.forgotten, self.orphans) = (forgotten, orphans)
    }

    /// That an orphan was answered.
    func orphanFault(_ id: UInt32) -> Fault {
        Fault(
            expected: "no answer to batch \(id), whose session has ended",
            but: "the container answered it in the next session")
    }

    mutating func take(_ response: PredictResponse) throws {
        let batch = try settle(response.id)
        guard response.outputs.count == batch.inputs else {
            throw Fault(
                expected:
                    "\(counted(batch.inputs, "output")) for batch \(response.id) of \(counted(batch.inputs, "input"))",
                but: "the response has \(response.outputs.count)")
        }
        answers.append((response.id, .results(response)))
    }

    mutating func take(_ failure: BatchFailure) throws {
        _ = try settle(failure.id)
        answers.append((failure.id, .failure(failure)))
    }

    private mutating func settle(_ id: UInt32) throws -> Batch {
        for index in doomed.indices where doomed[index][id] != nil {
            return doomed[index].removeValue(forKey: id) ?? Batch(inputs: 0, due: 0)
        }
        guard var batch = inFlight[id] else {
            if isOrphan(id) { throw orphanFault(id) }
            if forgotten.contains(id) {
                throw Fault(
                    expected: "no answer to batch \(id), which it must not answer (any more)", but: "it was answered")
            }
            if done.contains(id) {
                throw Fault(expected: "one answer to batch \(id)", but: "it was answered twice")
            }
            let ids = inFlight.keys.sorted().prefix(8).map { "\($0)" }.joined(separator: ", ")
            throw Fault(
                expected: "the id of a batch in flight (\(ids.isEmpty ? "there is none" : ids))",
                but: "an answer has the id \(id)")
        }
        batch.due -= 1
        inFlight[id] = batch.due == 0 ? nil : batch
        if batch.due == 0 { done.insert(id) }
        return batch
    }

    /// What answered this batch, if anything has.
    func answer(to id: UInt32) -> BatchAnswer? {
        answers.last { $0.id == id }?.answer
    }
}
