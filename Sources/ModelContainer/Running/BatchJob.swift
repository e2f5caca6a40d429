import ContainerRPC

/// A batch that the model is to be run on.
struct BatchJob: Sendable {
    var request: PredictRequest
    /// The number of the session that it was read in.
    var session: Int
    /// Whether a failure can be told, and does not end the session (RPC 4).
    var canFail: Bool
    /// When no answer is of use any more; as far as is known.
    var expires: MonotonicTime?

    /// What became of a batch, and what the model took for it.
    struct Done: Sendable {
        var result: Result<Outputs, FailureReport>
        var computeTime: Duration
    }

    /// Runs a model that blocks, on the calling thread.
    func run(_ predict: (InputValues) throws -> Outputs) -> Done {
        let began = MonotonicTime.now()
        let result = Result {
            try checkTime(now: began)
            return try BatchContext.$current.withValue(BatchContext(of: self)) {
                try Isolation(of: self).blockingOutputs(predict).checked()
            }
        }
        return Done(result: result.mapError(FailureReport.init(of:)), computeTime: .now() - began)
    }

    /// Runs a model that suspends.
    func runSuspending(_ predict: (InputValues) async throws -> Outputs) async -> Done {
        let began = MonotonicTime.now()
        let result: Result<Outputs, FailureReport>
        do {
            try checkTime(now: began)
            result = .success(
                try await BatchContext.$current.withValue(BatchContext(of: self)) {
                    try await Isolation(of: self).suspendingOutputs(predict).checked()
                })
        } catch {
            result = .failure(FailureReport(of: error))
        }
        return Done(result: result, computeTime: .now() - began)
    }

    /// - Throws: `ContainerError.tooLate` for a batch that no answer of is of use any more.
    private func checkTime(now: MonotonicTime) throws {
        if let expires, now > expires { throw ContainerError.tooLate(by: now - expires) }
    }
}

extension Outputs {
    /// - Throws: `ContainerError.outputsTooLong` where the frontend would end the connection that they come by.
    func checked(most: Int = WireBounds.frameBytes) throws -> Outputs {
        // Outputs and errors have a frame each; before an error's text stand three words.
        let longest = Swift.max(byteCount, errors.reduce(0) { $0 + 12 + $1.text.utf8.count })
        guard longest <= most else { throw ContainerError.outputsTooLong(byteCount: longest, most: most) }
        return self
    }
}

extension BatchJob.Done {
    /// Whether the batch counts as failed: RPC 3 cannot say that one input of it has.
    func isFailure(in version: RPCVersion) -> Bool {
        switch result {
        case .success(let outputs): version == .three && !outputs.errors.isEmpty
        case .failure: true
        }
    }

    /// What the session is told of it.
    var batchResult: ContainerSession.BatchResult {
        switch result {
        case .success(let outputs): .success(outputs)
        case .failure(let report): .failure(code: report.code, reason: report.text)
        }
    }
}
