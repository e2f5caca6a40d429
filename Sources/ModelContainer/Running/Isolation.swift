import ContainerRPC

/// Finds the inputs at which a model throws, by halving the batch and running again, so that the others get their
/// outputs. A value: it says which part is to be run next, and is told what came of it.
struct Isolation: Sendable {
    private let inputs: InputValues
    private let mayFail: Bool
    /// When no answer is of use any more; as far as is known.
    private let expires: MonotonicTime?
    /// How often more the model may be run: enough for one bad input and a few besides.
    private var runsLeft: Int
    /// Parts to be run, the first one last: together the end of the batch, behind the parts that are known.
    private var pending: [Range<Int>]
    private var parts: [(range: Range<Int>, result: Result<Outputs, any Error>)] = []
    /// Why parts are run again.
    private var cause: (any Error)?

    /// - Parameters:
    ///   - mayFail: whether it can be told which inputs failed; in RPC 3 the whole batch has failed then.
    ///   - expires: when no answer is of use any more: nothing is run again after that.
    init(_ inputs: InputValues, mayFail: Bool, expires: MonotonicTime? = nil) {
        self.inputs = inputs
        self.mayFail = mayFail
        self.expires = expires
        runsLeft = 8 + 2 * (Int.bitWidth - max(1, inputs.count).leadingZeroBitCount)
        pending = [0..<inputs.count]
    }

    init(of job: BatchJob) {
        self.init(job.request.inputs, mayFail: job.canFail, expires: job.expires)
    }

    /// The next part to run the model on; `nil` when all is known that time allows.
    mutating func next(now: MonotonicTime) -> (range: Range<Int>, inputs: InputValues)? {
        if let cause, let expires, now > expires, let first = pending.last {
            parts.append((range: first.lowerBound..<inputs.count, result: .failure(NotRunAgain(cause: cause))))
            pending.removeAll()
        }
        return pending.popLast().map { ($0, inputs.slice($0)) }
    }

    /// What came of a part.
    mutating func note(_ range: Range<Int>, _ result: Result<Outputs, any Error>) {
        guard case .failure(let error) = result, mayFail, range.count > 1, runsLeft >= 2, canDependOnInputs(error)
        else {
            return parts.append((range, result))
        }
        runsLeft -= 2
        cause = error
        let middle = range.lowerBound + range.count / 2
        pending += [middle..<range.upperBound, range.lowerBound..<middle]
    }

    /// The outputs of the batch, with an error for each input of a part that failed.
    /// - Throws: the error of a batch that failed as a whole.
    func outputs() throws -> Outputs {
        if cause == nil, let only = parts.first { return try only.result.get() }
        let known = parts.lazy.compactMap { try? $0.result.get() }.first
        var outputs = Outputs(type: known?.type ?? .string, isVectors: known?.isVectors ?? false)
        for part in parts {
            switch part.result {
            case .success(let some): outputs.append(contentsOf: some)
            case .failure(let error): outputs.appendFailure(error, count: part.range.count)
            }
        }
        return outputs
    }

    /// The outputs of a model that blocks.
    func blockingOutputs(_ predict: (InputValues) throws -> Outputs) throws -> Outputs {
        var isolation = self
        while let (range, inputs) = isolation.next(now: .now()) {
            isolation.note(range, Result { try predict(inputs) })
        }
        return try isolation.outputs()
    }

    /// The outputs of a model that suspends.
    func suspendingOutputs(_ predict: (InputValues) async throws -> Outputs) async throws -> Outputs {
        var isolation = self
        while let (range, inputs) = isolation.next(now: .now()) {
            let result: Result<Outputs, any Error>
            do {
                // The container has ended, and nobody waits for what another run would give.
                try Task.checkCancellation()
                result = .success(try await predict(inputs))
            } catch {
                result = .failure(error)
            }
            isolation.note(range, result)
        }
        return try isolation.outputs()
    }
}

/// The model has thrown at a batch of which this is a part, and there was no time left to run it again.
struct NotRunAgain: Error, CustomStringConvertible {
    let cause: any Error

    var description: String { "no time is left to find the inputs at which the model throws: \(cause)" }
}

/// Whether another part of the batch may do better than one that has thrown this.
private func canDependOnInputs(_ error: any Error) -> Bool {
    switch error {
    case ContainerError.wrongOutputCount, ContainerError.wrongInputType, ContainerError.tooLate: false
    case is Unavailable, is CancellationError: false
    default: true
    }
}
