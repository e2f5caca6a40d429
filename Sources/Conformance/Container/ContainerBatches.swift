import ContainerRPC

// Batches, sent and awaited.
extension ContainerPlay {
    /// The registration of the session.
    func registration() throws -> Registration {
        guard let session else { throw Fault("the kit has no session") }
        return session.registration
    }

    /// Inputs of the registered type.
    func inputs() throws -> Inputs {
        Inputs(type: try registration().inputType, choice: options.inputs)
    }

    /// The inputs that a batch may have: what the container states, or as many as wanted.
    func batchSize(upTo wanted: Int) throws -> Int {
        min(wanted, try registration().details.largestBatch ?? wanted)
    }

    /// Sends a batch and notes that an answer is due.
    @discardableResult
    func predict(
        _ inputs: [[UInt8]], id: UInt32? = nil, type: InputType? = nil, budget: Duration? = nil
    ) throws -> UInt32 {
        let id = id ?? nextID()
        try send(frames: request(inputs, id: id, type: type, budget: budget))
        book.sent(id, inputs: inputs.count)
        return id
    }

    /// The frames of a batch.
    func request(
        _ inputs: [[UInt8]], id: UInt32, type: InputType? = nil, budget: Duration? = nil
    ) throws -> [[UInt8]] {
        let type = try type ?? registration().inputType
        let payloads = inputs.map { Payload(copying: $0) }
        var list = FrameList()
        switch spoken {
        case .three: RPC3.encodeRequest(id: id, inputType: type, inputs: payloads, into: &list)
        case .four: RPC4.encodeRequest(id: id, inputType: type, inputs: payloads, budget: budget, into: &list)
        }
        return list.frames
    }

    /// An id that no batch of this play has had; the upper bits are in use, too.
    func nextID() -> UInt32 {
        ids &+= 0x0101_0001
        return ids
    }

    /// Waits until nothing is due any more.
    ///
    /// - Parameter bound: how long each answer may take after the one before it: a model may be slow.
    func awaitAnswers(within bound: Duration? = nil) throws {
        let limit = bound ?? bounds.answer
        var deadline = MonotonicTime.now() + limit
        while book.waiting > 0 {
            guard let event = try next(until: deadline) else {
                throw Fault(
                    expected: "an answer to every batch",
                    but: "\(counted(book.waiting, "batch")) had none within \(limit.text)")
            }
            if case .answered = event { deadline = .now() + limit }
            if case .opening = event {
                throw Fault(
                    expected: "an answer to every batch",
                    but: "the container ended its session with \(counted(book.waiting, "batch")) unanswered. "
                        + (spoken == .three
                            ? "If its model cannot take such inputs, that is right (rpc-3.md 9.4): "
                                + "give others with --sample-input or --input-length"
                            : ""))
            }
        }
    }

    /// Sends a batch and waits for its answer.
    func answer(to inputs: [[UInt8]], budget: Duration? = nil, within bound: Duration? = nil) throws -> BatchAnswer {
        let id = try predict(inputs, budget: budget)
        try awaitAnswers(within: bound)
        guard let answer = book.answer(to: id) else { throw Fault("batch \(id) was not answered") }
        return answer
    }

    /// Sends a batch and waits for its outputs.
    @discardableResult
    func outputs(of inputs: [[UInt8]], within bound: Duration? = nil) throws -> Outputs {
        switch try answer(to: inputs, within: bound) {
        case .failure(let failure): throw failed(failure)
        case .results(let response):
            if let error = response.outputs.errors.first { throw failed(error) }
            return response.outputs
        }
    }

    func failed(_ failure: BatchFailure) -> Fault {
        Fault(
            expected: "results",
            but: "batch \(failure.id) failed (\(failure.code): \(failure.reason ?? "no reason")). "
                + "If the model cannot take such inputs, give others with --sample-input or --input-length")
    }

    func failed(_ error: ItemError) -> Fault {
        Fault(
            expected: "results",
            but: "input \(error.index) failed (\(error.code): \(error.text)). "
                + "If the model cannot take such inputs, give others with --sample-input or --input-length")
    }

    /// Waits for a moment in which nothing more than heartbeats may come from the session: whatever the container sent
    /// before it answers a batch comes before that answer.
    func servesStill() throws {
        try outputs(of: try inputs().distinct(2))
    }

    /// The container has ended its session, or is about to: it opens another, registers and serves.
    func servesAgain(notBefore earliest: MonotonicTime? = nil, within bound: Duration? = nil) throws {
        try openSession(within: bound, notBefore: earliest)
        try servesStill()
    }

    /// The same, and a fault says after what.
    func servesAgain(
        after what: String, notBefore earliest: MonotonicTime? = nil, within bound: Duration? = nil
    ) throws {
        do {
            try servesAgain(notBefore: earliest, within: bound)
        } catch let fault as Fault {
            throw Fault("after \(what): \(fault)")
        }
    }

    /// Hears the container for a while.
    func listen(for duration: Duration, _ body: (ContainerEvent) throws -> Void = { _ in }) throws {
        let deadline = MonotonicTime.now() + duration
        while let event = try next(until: deadline) { try body(event) }
    }
}
