import ContainerRPC

extension ContainerScenario {
    /// A frontend that sends what it must not.
    static let misbehaving: [ContainerScenario] =
        malformed + [
            ContainerScenario(
                "other-version", "A frontend of another version ends the session; the container comes back",
                rpc3: "9.3", rpc4: "9.2"
            ) { play in
                let frames: [[UInt8]] =
                    play.version == .three
                    ? [[], MalformedMessage.u32(2), MalformedMessage.u32(2), MalformedMessage.u32(0)]
                    : [MalformedMessage.head(4, version: 5)]
                try play.endsSession(frames, "a message of version \(play.version == .three ? 2 : 5)")
                return nil
            },
            ContainerScenario(
                "batch-behind-malformed", "A batch that comes right behind a malformed message is not answered",
                rpc3: "8.2", rpc4: "10"
            ) { play in
                let inputs = try play.inputs().distinct(2)
                let beat = play.encoded(.heartbeat(.keepAlive))
                try play.send(frames: beat + [[1, 2, 3]], remark: "a heartbeat with a frame too many")
                for _ in 0..<(try play.window(upTo: 2)) {
                    let id = play.nextID()
                    play.book.sentUnanswerable(id)
                    try play.send(frames: try play.request(inputs, id: id))
                }
                try play.servesAgain(after: "a malformed message, and batches behind it")
                return nil
            },
            ContainerScenario(
                "pauses", "Sessions that end early follow each other with pauses", rpc3: "8.2", rpc4: "10", stage: .own
            ) { play in
                try playPauses(play)
            },
            ContainerScenario(
                "wrong-type", "A batch of a type that it has not registered is not computed", rpc3: "9.4",
                rpc4: "10"
            ) { play in
                try playWrongType(play)
            },
            ContainerScenario(
                "too-large-batch", "A batch larger than largest-batch fails with the code too-large", rpc4: "10"
            ) { play in
                guard let largest = try play.registration().details.largestBatch, largest <= 200_000 else {
                    throw Inapplicable("it does not state a largest batch below 200,000")
                }
                let answer = try play.answer(to: try play.inputs().distinct(largest + 1))
                try play.expectFailure(answer, .tooLarge, "a batch of \(largest + 1) inputs, one too many")
                try play.servesStill()
                return nil
            },
            ContainerScenario(
                "feedback", "Feedback is taken, and not answered", rpc3: "6.6", rpc4: "8.6"
            ) { play in
                try playFeedback(play)
            },
            ContainerScenario(
                "model-fails", "A model that fails costs no process, and in RPC 4 no session (--failing-input)",
                rpc3: "9.4", rpc4: "10", stage: .own
            ) { play in
                try playFailure(play)
            },
        ]

    /// A scenario for each malformed message; those of both versions have one name.
    private static let malformed: [ContainerScenario] = {
        let three = MalformedMessage.ofVersion3
        let four = MalformedMessage.ofVersion4
        let names = three.map(\.name) + four.map(\.name).filter { name in !three.contains { $0.name == name } }
        return names.map { name in
            let ofThree = three.first { $0.name == name }
            let ofFour = four.first { $0.name == name }
            let summary = ofThree?.summary ?? ofFour?.summary ?? ""
            return ContainerScenario(
                "malformed-\(name)", "The session ends, and another serves, after \(summary)",
                rpc3: ofThree.map { _ in "9.3" }, rpc4: ofFour.map { _ in "9.3" },
                stage: (ofThree ?? ofFour)?.stringsOnly == true ? .typed(.string) : .shared
            ) { play in
                guard let message = play.version == .three ? ofThree : ofFour else { return nil }
                try playMalformed(message, play)
                return nil
            }
        }
    }()

    private static func playMalformed(_ message: MalformedMessage, _ play: ContainerPlay) throws {
        if message.stringsOnly { try play.startTyped(.string) }
        let type = try play.registration().inputType
        if message.wideOnly, type.elementByteCount == 1 { throw Inapplicable("elements of \(type) have one byte") }
        let id = play.nextID()
        let request = try play.request(try play.inputs().distinct(2), id: id)
        play.book.sentUnanswerable(id)
        let registrations = play.unaskedRegistrations
        try play.endsSession(message.frames(request, type), message.summary)
        guard play.unaskedRegistrations == registrations else {
            throw Fault(expected: "no answer to \(message.summary)", but: "the container registered again")
        }
    }

    /// No batch is answered between them, so each pause is longer than the one before it.
    private static func playPauses(_ play: ContainerPlay) throws -> String? {
        var ends = ["a malformed message", "a malformed message"]
        if play.version == .four { ends = ["the frontend's goodbye"] + ends + ["the frontend's goodbye"] }
        var shortest: [String: Duration] = [:]
        for end in ends {
            let begin = MonotonicTime.now()
            if end == "a malformed message" {
                try play.send(frames: play.encoded(.heartbeat(.keepAlive)) + [[1, 2, 3]], remark: end)
            } else {
                try play.send(.goodbye(Goodbye(.restarting)))
            }
            try play.openSession()
            shortest[end] = min(shortest[end] ?? .seconds(3_600), .now() - begin)
        }
        // A pause of 100 ms may be a fifth shorter, and more than the pause was measured.
        let hasty = shortest.filter { $0.value < .milliseconds(75) }.sorted { $0.key < $1.key }
        guard !hasty.isEmpty else { return nil }
        let seen = hasty.map { "\($0.value.text) after \($0.key)" }.joined(separator: ", and ")
        return "it opened another session \(seen): it should pause for 100 ms first"
    }

    private static func playWrongType(_ play: ContainerPlay) throws -> String? {
        let registered = try play.registration().inputType
        let other: InputType = registered == .float64 ? .int32 : .float64
        let inputs = try Inputs(type: other, choice: InputChoice()).distinct(2)
        if play.version == .three {
            let id = play.nextID()
            play.book.sentUnanswerable(id)
            try play.endsSession(try play.request(inputs, id: id, type: other), "a batch of \(other)")
        } else {
            let id = try play.predict(inputs, type: other)
            try play.awaitAnswers()
            try play.expectFailure(play.book.answer(to: id), .invalidInput, "a batch of \(other)")
            try play.servesStill()
        }
        return nil
    }

    private static func playFeedback(_ play: ContainerPlay) throws -> String? {
        let registration = try play.registration()
        let inputs = try play.inputs().distinct(1)
        let id = play.nextID()
        play.book.sentUnanswerable(id)
        if play.version == .three {
            let request = try play.request(inputs, id: id)
            try play.send(frames: request.replacing(4, MalformedMessage.u32(1)))
        } else {
            guard registration.details.wantsFeedback else {
                throw Inapplicable("it does not state wants-feedback, and so is never sent any")
            }
            let request = try play.request(inputs, id: id)
            let head =
                MalformedMessage.head(6, id: id)
                + MalformedMessage.field(0x8010, MalformedMessage.u32(Int(registration.inputType.rawValue)))
                + MalformedMessage.field(0x8012, MalformedMessage.u32(4))
            try play.send(
                frames: [head] + request.dropFirst()
                    + [MalformedMessage.u32(0) + MalformedMessage.u32(3), Array("cat".utf8)])
        }
        try play.servesStill()
        return nil
    }

    private static func playFailure(_ play: ContainerPlay) throws -> String? {
        guard let failing = play.options.inputs.failing else {
            throw Inapplicable("no --failing-input is given, at which the model fails")
        }
        let inputs = try play.inputs()
        let input = try Inputs.bytes(of: failing, inputs.type)
        let good = try inputs.distinct(2)
        if play.version == .three {
            let id = play.nextID()
            play.book.sentUnanswerable(id)
            try play.endsSession(try play.request([input], id: id), "the input '\(failing.shortened(to: 60))'")
            return nil
        }
        var note: String?
        switch try play.answer(to: [good[0], input, good[1]]) {
        case .failure(let failure):
            guard failure.code != .tooLate, failure.code != .tooLarge else {
                throw Fault(expected: "a model error", but: "the batch failed with the code \(failure.code)")
            }
            note = "the whole batch failed (\(failure.reason ?? "no reason")), not the one input"
        case .results(let response):
            guard let error = response.outputs.errors.first else {
                throw Fault(
                    expected: "an error for the input '\(failing.shortened(to: 60))', at which the model fails",
                    but: "there are only results")
            }
            guard response.outputs.errors.count == 1, error.index == 1 else {
                throw Fault(
                    expected: "one error, for input 1",
                    but: "there are errors for \(response.outputs.errors.map { "\($0.index)" }.joined(separator: ", "))"
                )
            }
            let compared = try play.expectSameAlone(
                [(good[0], 0, response.outputs), (good[1], 2, response.outputs)], "beside one that fails")
            note = compared
        }
        try play.servesStill()
        return note
    }
}

extension ContainerPlay {
    /// Sends what must end the session, and sees the container open another and serve.
    func endsSession(_ frames: [[UInt8]], _ what: String) throws {
        try send(frames: frames, remark: what)
        try servesAgain(after: what)
    }

    /// The answer must be a failure with this code.
    func expectFailure(_ answer: BatchAnswer?, _ code: FailureCode, _ what: String) throws {
        switch answer {
        case .failure(let failure) where failure.code == code: return
        case .failure(let failure):
            throw Fault(
                expected: "failure with the code \(code.rawValue) (\(code)) for \(what)",
                but: "its code is \(failure.code.rawValue) (\(failure.code))")
        case .results, nil:
            throw Fault(
                expected: "failure with the code \(code.rawValue) (\(code)) for \(what)", but: "there are results")
        }
    }
}
