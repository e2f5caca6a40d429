import ContainerRPC

/// Finds the inputs at which a model throws, by halving the batch and running again, so that the others get their
/// outputs. A value: it says which part is to be run next, and is told what came of it.
struct Isolation: Sendable {
    private let inputs: InputValues
    private let mayFail: Bool
    /// How often more the model may be run: enough for one bad input and a few besides.
    private var runsLeft: Int
    /// Parts to be run, the first one last.
    private var pending: [Range<Int>]
    private var parts: [(range: Range<Int>, result: Result<Outputs, any Error>)] = []

    /// - Parameter mayFail: whether it can be told which inputs failed; in RPC 3 the whole batch has failed then.
    init(_ inputs: InputValues, mayFail: Bool) {
        self.inputs = inputs
        self.mayFail = mayFail
        runsLeft = 8 + 2 * (Int.bitWidth - max(1, inputs.count).leadingZeroBitCount)
        pending = [0..<inputs.count]
    }

    init(of job: BatchWorker.Job) {
        self.init(job.request.inputs, mayFail: job.canFail)
    }

    /// The next part to run the model on; `nil` when all is known.
    mutating func next() -> (range: Range<Int>, inputs: InputValues)? {
        pending.popLast().map { ($0, inputs.slice($0)) }
    }

    /// What came of a part.
    mutating func note(_ range: Range<Int>, _ result: Result<Outputs, any Error>) {
        guard case .failure(let error) = result, mayFail, range.count > 1, runsLeft >= 2, canDependOnInputs(error)
        else {
            return parts.append((range, result))
        }
        runsLeft -= 2
        let middle = range.lowerBound + range.count / 2
        pending += [middle..<range.upperBound, range.lowerBound..<middle]
    }

    /// The outputs of the batch, with an error for each input of a part that failed.
    /// - Throws: the error of a batch that failed as a whole.
    func outputs() throws -> Outputs {
        if parts.count == 1, let only = parts.first { return try only.result.get() }
        let known = parts.lazy.compactMap { try? $0.result.get() }.first
        var outputs = Outputs(type: known?.type ?? .string, isVectors: known?.isVectors ?? false)
        for part in parts.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            switch part.result {
            case .success(let some): outputs.append(contentsOf: some)
            case .failure(let error):
                for index in part.range {
                    outputs.end()
                    outputs.errors.append(ItemError(index: index, code: FailureCode(of: error), text: "\(error)"))
                }
            }
        }
        return outputs
    }

    /// The outputs of a model that blocks.
    func blockingOutputs(_ predict: (InputValues) throws -> Outputs) throws -> Outputs {
        var isolation = self
        while let (range, inputs) = isolation.next() { isolation.note(range, Result { try predict(inputs) }) }
        return try isolation.outputs()
    }

    /// The outputs of a model that suspends.
    func suspendingOutputs(_ predict: (InputValues) async throws -> Outputs) async throws -> Outputs {
        var isolation = self
        while let (range, inputs) = isolation.next() {
            let result: Result<Outputs, any Error>
            do { result = .success(try await predict(inputs)) } catch { result = .failure(error) }
            isolation.note(range, result)
        }
        return try isolation.outputs()
    }
}

/// Whether another part of the batch may do better than one that has thrown this.
private func canDependOnInputs(_ error: any Error) -> Bool {
    switch error {
    case ContainerError.wrongOutputCount, ContainerError.wrongInputType, ContainerError.tooLate: false
    case is CancellationError: false
    default: true
    }
}
