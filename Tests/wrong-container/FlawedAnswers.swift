import ContainerRPC

// What the session makes of a batch.
extension FlawedSession {
    func answer(_ request: PredictRequest) throws -> FlawedContainer.End? {
        let spoken = version ?? .three
        answered += 1
        if flaw == .skipsBatch, answered == 5 { return nil }
        if flaw == .diesAtNoInputs, request.inputs.count == 0 { return .process(status: 1) }
        let isEmpty = request.inputs.rowEnds.first == 0
        if flaw == .refusesEmptyInput, isEmpty, request.inputs.count > 0 { return .session(pause: .zero) }
        if flaw == .silentWhileBusy, request.inputs.count > 1_000, spoken == .four {
            _ = try waitForInput([], timeout: .milliseconds(1_700))
        }
        if request.inputs.type != registration.inputType, flaw != .takesWrongType {
            guard spoken == .four else { return .session(pause: .zero) }
            return try fail(request, .invalidInput, "this model takes \(registration.inputType)")
        }
        if spoken == .four, let most = registration.details.largestBatch, request.inputs.count > most,
            flaw != .takesTooLarge
        {
            return try fail(request, .tooLarge, "at most \(most)")
        }
        let least = Duration.milliseconds(flaw == .readsNanoseconds ? 1_000 : 1)
        if let budget = flaw.budget(request.budget), budget < least { return try fail(request, .tooLate, "late") }
        let begin = MonotonicTime.now()
        var outputs = SumModel.outputs(of: request.inputs)
        if outputs.strings == ["4711.0"] { _ = try waitForInput([], timeout: .milliseconds(300)) }
        let computeTime = (MonotonicTime.now() - begin) * (flaw == .statesNanoseconds ? 1_000 : 1)
        outputs = flaw.garbled(outputs, of: request.inputs, isLast: waiting == 0)
        if !outputs.errors.isEmpty, flaw == .ignoresFailure {
            outputs = Outputs(request.inputs.rowEnds.map { "\($0)" })
        }
        if !outputs.errors.isEmpty {
            if flaw == .diesAtModelError { return .process(status: 1) }
            if spoken == .three { return .session(pause: .zero) }
        }
        if flaw == .wrongCount, outputs.count > 1 { outputs = Outputs(outputs.strings.dropLast()) }
        if flaw == .swapsOutputs, outputs.count > 1 {
            var texts = outputs.strings
            texts.swapAt(0, 1)
            outputs = Outputs(texts)
        }
        if flaw == .reversesLargeBatches, outputs.count > 64 { outputs = Outputs(outputs.strings.reversed()) }
        let id = flaw == .wrongID ? request.id &+ 1 : request.id
        for _ in 0..<(flaw == .answersTwice ? 2 : 1) {
            try send(PredictResponse(id: id, outputs: outputs, computeTime: computeTime), in: spoken)
        }
        return nil
    }

    private func fail(_ request: PredictRequest, _ code: FailureCode, _ reason: String) throws -> FlawedContainer.End? {
        _ = try send(.failure(BatchFailure(id: request.id, code: code, reason: reason)), in: .four)
        return nil
    }

    private func send(_ response: PredictResponse, in version: RPCVersion) throws {
        let spoken = flaw == .answersInThree ? .three : version
        var list = FrameList()
        switch spoken {
        case .three: RPC3.encode(.response(response), into: &list)
        case .four: RPC4.encode(.response(response), into: &list)
        }
        _ = try send(frames: flaw.response(list.frames, in: spoken))
    }
}

extension Flaw {
    /// The budget as it is read.
    func budget(_ budget: Duration?) -> Duration? {
        guard let budget else { return nil }
        let (seconds, attoseconds) = budget.components
        let microseconds = UInt64(seconds) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)
        switch self {
        case .readsBudgetOf32Bits: return .microseconds(Int64(UInt32(truncatingIfNeeded: microseconds)))
        case .readsSignedBudget: return budget >= .microseconds(Int64.max) ? .zero : budget
        default: return budget
        }
    }

    /// What becomes of right outputs, by the batch that they are for.
    ///
    /// - Parameter isLast: whether no other batch waits.
    func garbled(_ outputs: Outputs, of inputs: InputValues, isLast: Bool) -> Outputs {
        let lengths = zip(inputs.rowEnds, [0] + inputs.rowEnds).map { $0 - $1 }
        let isWrong =
            switch self {
            case .garblesQueued: !isLast
            case .garblesRagged: Set(lengths).count > 1
            case .garblesBesideFailure: !outputs.errors.isEmpty
            case .garblesBesideLarge: (lengths.max() ?? 0) > 10_000
            default: false
            }
        guard isWrong else { return outputs }
        var garbled = Outputs()
        for index in outputs.indices {
            let hasFailed = outputs.errors.contains { $0.index == index }
            hasFailed ? garbled.end() : garbled.append("0.0")
        }
        garbled.errors = outputs.errors
        return garbled
    }
}
