import ContainerRPC

extension ContainerScenario {
    /// Batches of every shape.
    static let batching: [ContainerScenario] =
        [
            ContainerScenario(
                "batch-of-one", "A batch of one input is answered by one output", rpc3: "6.7", rpc4: "6.4"
            ) { play in
                try play.outputs(of: try play.inputs().distinct(1))
                return nil
            },
            ContainerScenario(
                "batch-of-5000", "A batch of 5,000 inputs, or of the largest number that it takes, in their order",
                rpc3: "6.7", rpc4: "6.4"
            ) { play in
                try playLargeBatch(play)
            },
            ContainerScenario(
                "order", "Outputs stand in the order of their inputs", rpc3: "6.7", rpc4: "6.4"
            ) { play in
                try playOrder(play)
            },
            ContainerScenario(
                "queued-batches", "Many batches at once: each is answered once, by its own id", rpc3: "8.2", rpc4: "8.2"
            ) { play in
                try playQueue(play)
            },
            ContainerScenario(
                "any-id", "The id of an answer is that of its batch, whatever it is", rpc3: "8.5", rpc4: "8.2"
            ) { play in
                for id: UInt32 in [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
                    try play.predict(try play.inputs().distinct(1), id: id)
                    try play.awaitAnswers()
                }
                return nil
            },
            ContainerScenario(
                "same-id-twice", "Two requests with the same id are both answered", rpc3: "9.4"
            ) { play in
                let inputs = try play.inputs().distinct(1)
                try play.predict(inputs, id: 4711)
                try play.predict(inputs, id: 4711)
                try play.awaitAnswers()
                return nil
            },
            ContainerScenario(
                "no-inputs", "A batch without inputs is answered by no outputs", rpc3: "9.4", rpc4: "6.3"
            ) { play in
                let id = try play.predict([])
                try play.awaitAnswers()
                if case .failure(let failure) = play.book.answer(to: id) { throw play.failed(failure) }
                try play.servesStill()
                return nil
            },
            ContainerScenario(
                "empty-inputs", "Empty inputs are answered like any other", rpc3: "6.6", rpc4: "6.3"
            ) { play in
                try play.unrestricted()
                let inputs = try play.inputs().distinct(2)
                return try play.mayFail([[], [], []]) ?? play.mayFail([inputs[0], [], inputs[1]])
            },
            ContainerScenario(
                "ragged-rows", "Inputs of one batch may have different lengths", rpc3: "6.2", rpc4: "6.3"
            ) { play in
                try play.unrestricted()
                let inputs = try play.inputs()
                return try play.mayFail(
                    [7, 1, 100, 2, 31].enumerated().map { inputs.made($0, length: $1) },
                    sameAlone: "among inputs of other lengths")
            },
            ContainerScenario(
                "input-of-16-mib", "An input of 16 MiB is answered", rpc3: "6.6", rpc4: "6.3"
            ) { play in
                try play.unrestricted()
                return try playLargeInput(play)
            },
            ContainerScenario(
                "unicode", "Strings of any characters, NUL too, come through", rpc3: "6.2", rpc4: "6.3",
                stage: .typed(.string)
            ) { play in
                try play.startTyped(.string)
                try play.unrestricted()
                return try play.mayFail(Inputs.texts.map { Array($0.utf8) })
            },
        ]
        + InputType.allCases.map { type in
            ContainerScenario(
                "input-type-\(type)", "Told to take \(type), it registers and answers them", rpc3: "6.2", rpc4: "6.1",
                stage: .typed(type)
            ) { play in
                try play.startTyped(type)
                try play.outputs(of: try play.inputs().distinct(3))
                return nil
            }
        }

    private static func playLargeBatch(_ play: ContainerPlay) throws -> String? {
        let count = try play.batchSize(upTo: 5_000)
        let inputs = try play.inputs().distinct(count)
        let outputs = Array(try play.outputs(of: inputs, within: play.bounds.answer * 2))
        let size = count < 5_000 ? "its largest batch is \(count)" : nil
        guard count > 4 else { return size }
        // A small batch is in order, or the scenario `order` tells.
        let picks = [0, 1, count / 2, count - 1]
        let small = Array(try play.outputs(of: picks.map { inputs[$0] }))
        for (pick, output) in zip(picks, small) where !outputs[pick].elementsEqual(output) {
            // An output that differs a little may come of another way to compute it; one that stands elsewhere is misplaced.
            let places = outputs.indices.filter { outputs[$0].elementsEqual(output) }
            guard places.count == 1 else {
                let note = "input \(pick) got another output in a batch of 4 than in one of \(count)"
                return [size, note].compactMap { $0 }.joined(separator: "; ")
            }
            throw Fault(
                expected: "the output of input \(pick) in its place in a batch of \(count)",
                but: "it stands in that of input \(places[0]), as a batch of 4 shows")
        }
        return size
    }

    /// The model's outputs are not known, but they are the same for the same inputs, wherever those stand.
    private static func playOrder(_ play: ContainerPlay) throws -> String? {
        let inputs = try play.inputs().distinct(try play.batchSize(upTo: 4))
        guard inputs.count > 1 else { throw Inapplicable("its largest batch has one input") }
        guard Set(inputs).count > 1 else {
            throw Inapplicable(
                play.options.inputs.samples.isEmpty
                    ? "all inputs are the same (--input-length): their order cannot be told"
                    : "only one input is given: give --sample-input again, with an input that has another output")
        }
        let together = try play.outputs(of: inputs)
        let alone = try inputs.map { try aloneOutput(of: $0, play) }
        guard Set(alone.map { Array($0.bytes) }).count > 1 else {
            throw Inapplicable("its model gives the same output for all inputs: their order cannot be told")
        }
        if let fault = misplaced(Array(together), together.type, alone, "in a batch of \(inputs.count)") {
            let again = try inputs.map { try aloneOutput(of: $0, play) }
            guard zip(alone, again).allSatisfy({ $0.isSame(as: $1.bytes, $1.type) }) else {
                throw Inapplicable("its model gives other outputs for the same input: their order cannot be told")
            }
            throw fault
        }
        let reversed = try play.outputs(of: inputs.reversed())
        if let fault = misplaced(reversed.reversed(), reversed.type, alone, "in a batch in reversed order") {
            throw fault
        }
        return nil
    }

    private static func aloneOutput(of input: [UInt8], _ play: ContainerPlay) throws -> LoneOutput {
        let outputs = try play.outputs(of: [input])
        return LoneOutput(input: input, bytes: outputs[0], type: outputs.type)
    }

    private static func misplaced(
        _ outputs: [ArraySlice<UInt8>], _ type: OutputType, _ alone: [LoneOutput], _ how: String
    ) -> Fault? {
        guard let index = outputs.indices.first(where: { !alone[$0].isSame(as: outputs[$0], type) }) else { return nil }
        let other = alone.firstIndex { $0.isSame(as: outputs[index], type) }
        return Fault(
            expected: "the same output for input \(index) alone and \(how)",
            but: "they differ" + (other.map { ": the output in its place is that of input \($0)" } ?? ""))
    }

    private static func playQueue(_ play: ContainerPlay) throws -> String? {
        let window = try play.window(upTo: 64)
        let inputs = try play.inputs()
        let largest = try play.batchSize(upTo: 7)
        var ids: [UInt32] = []
        let before = play.book.answers.count
        // Two of each size one after the other: an answer that is left over from the batch before fits.
        let batches = try (0..<64).map { try inputs.distinct($0 / 2 % largest + 1, from: $0 * 8) }
        for (index, batch) in batches.enumerated() {
            if index >= window { try play.awaitOneAnswer() }
            ids.append(try play.predict(batch))
        }
        try play.awaitAnswers()
        // A second answer to any of them would come before the answer to one more.
        try play.servesStill()
        let answered = play.book.answers[before...].map(\.id).filter { ids.contains($0) }
        let order = answered == ids ? nil : "answers did not come in the order of the requests"
        var pairs: [(input: [UInt8], place: Int, outputs: Outputs)] = []
        for (index, id) in ids.enumerated() {
            switch play.book.answer(to: id) {
            case .failure(let failure): throw play.failed(failure)
            case .results(let response):
                if let error = response.outputs.errors.first { throw play.failed(error) }
                // A part of them tells: a slow model has its time.
                guard index % 5 == 1, let last = batches[index].last else { continue }
                pairs.append((last, batches[index].count - 1, response.outputs))
            case nil: break
            }
        }
        let compared = try play.expectSameAlone(pairs, "while other batches wait")
        let notes = [order, compared].compactMap { $0 }
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    /// What the model makes of a large input is not known; what it makes of those beside it is.
    private static func playLargeInput(_ play: ContainerPlay) throws -> String? {
        let inputs = try play.inputs()
        let note = try play.mayFail([inputs.large(byteCount: 16 << 20)], within: play.bounds.answer * 4)
        guard note == nil, try play.batchSize(upTo: 3) == 3 else { return note }
        let small = try inputs.distinct(2)
        // In RPC 3 a model that cannot take both ends the session, and that may be right.
        guard play.spoken == .four else { return nil }
        return try play.mayFail(
            [small[0], inputs.large(byteCount: 256 << 10), small[1]], sameAlone: "beside one of 256 KiB",
            at: [0, 2])
    }
}

extension ContainerPlay {
    /// Starts the container, which was told to take this type.
    func startTyped(_ type: InputType) throws {
        try start()
        let registration: Registration
        do {
            registration = try openSession()
        } catch let fault as Fault {
            guard process?.programEnd != nil else { throw fault }
            throw Inapplicable("the program ends when CLIPPER_INPUT_TYPE is \(type)")
        }
        guard registration.inputType == type else {
            throw Inapplicable("it takes \(registration.inputType), whatever CLIPPER_INPUT_TYPE says")
        }
    }

    /// Goes on only if inputs of any length and content can be sent.
    func unrestricted() throws {
        if let reason = options.inputs.restriction { throw Inapplicable(reason) }
    }

    /// Sends inputs that a model need not be able to take. That it fails is a note where the protocol can say so.
    ///
    /// - Parameters:
    ///   - how: what is special about the batch, in which each input is to get the output that it gets alone; `nil` where
    ///     that is not looked at.
    ///   - places: those of the inputs that are compared; `nil` for all.
    func mayFail(
        _ inputs: [[UInt8]], within bound: Duration? = nil, sameAlone how: String? = nil, at places: [Int]? = nil
    ) throws -> String? {
        guard inputs.count <= (try batchSize(upTo: inputs.count)) else {
            throw Inapplicable("its largest batch has \(counted(try batchSize(upTo: .max), "input"))")
        }
        switch try answer(to: inputs, within: bound) {
        case .results(let response):
            guard let error = response.outputs.errors.first else {
                guard let how else { return nil }
                return try expectSameAlone(
                    (places ?? Array(inputs.indices)).map { (inputs[$0], $0, response.outputs) }, how)
            }
            return "the model failed at input \(error.index) (\(error.code): \(error.text.shortened(to: 80)))"
        case .failure(let failure):
            return "the model failed (\(failure.code): \((failure.reason ?? "no reason").shortened(to: 80)))"
        }
    }

    /// Waits until there is one answer more.
    func awaitOneAnswer() throws {
        let deadline = MonotonicTime.now() + bounds.answer
        while true {
            switch try next(until: deadline) {
            case nil:
                throw Fault(expected: "an answer", but: "none came within \(bounds.answer.text)")
            case .opening: throw Fault(expected: "an answer", but: "the container ended its session")
            case .answered: return
            default: continue
            }
        }
    }
}
