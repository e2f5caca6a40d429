import ContainerRPC
import QueryFrontend

/// What containers do wrong.
extension Simulation {
    mutating func misbehave(_ plan: Scenario.Plan<Misbehaviour>) {
        let container = plan.target
        guard containers[container].isRunning else { return }
        guard !containers[container].isFrozen else { return containers[container].backlog.misbehaviours.append(plan) }
        let speaksVersion4 = containers[container].session.version == .four
        switch plan.kind {
        case .duplicateAnswer, .lateAnswer:
            if speaksVersion4, random.chance(0.4) { containers[container].nextFailure = .modelError }
            containers[container].nextAnswers.append(plan)
        case .forgetsAnswer:
            if areClientsActive { containers[container].nextAnswers.append(plan) }
        case .wrongOutputCount, .falselyTooLate:
            containers[container].nextAnswers.append(plan)
        case .unknownAnswer:
            answer(UInt32(truncatingIfNeeded: random.next()), of: 1, container, plan.kind)
        case .forgedAnswer:
            // What it was sent by an earlier connection may be its own still, if it came back as what it was.
            let own = Set(connections.indices.filter { connections[$0].container == container })
            guard let (id, size) = oracle.batch(notOf: own, from: &random) else { return }
            answer(id, of: size, container, plan.kind)
        case .malformedMessage:
            sayMalformed(container)
        case .registersAgain:
            let registration = registration(of: container, as: containers[container].servedModel)
            sayWrongly(.newContainer(registration), container, plan.kind, .registrationsRepeated)
        case .registersAsAnother:
            registerAsAnother(container)
        case .registersWithAnotherType:
            containers[container].servedModel = containers[container].plan.model
            var registration = registration(of: container, as: containers[container].servedModel)
            let right = scenario.models[containers[container].servedModel].inputType
            registration.inputType = random.pick(
                InputType.allCases.filter { $0 != registration.inputType && $0 != right })
            sayWrongly(.newContainer(registration), container, plan.kind, .registrationsOfAnotherType)
        case .registersInVersion3:
            // One that takes few inputs at a time could not say so, and would fail at what it is given from then on.
            guard speaksVersion4, containers[container].plan.details.largestBatch == nil else { return }
            containers[container].servedModel = containers[container].plan.model
            var registration = registration(of: container, as: containers[container].servedModel)
            registration.rpcVersion = .three
            registration.details = RegistrationDetails()
            let speech = ContainerSpeech.message(.newContainer(registration), in: .three)
            sayWrongly(speech, container, plan.kind, .registrationsInRPC3AfterRPC4)
        case .saysGoodbye:
            guard speaksVersion4 else { return }
            sayWrongly(.goodbye(Goodbye(.restarting)), container, plan.kind, .goodbyesOutOfTurn)
        }
    }

    /// Answers a batch that it has not, with a failure where that can be said.
    private mutating func answer(_ id: UInt32, of size: Int, _ container: Int, _ kind: Misbehaviour) {
        guard kind == .forgedAnswer || oracle.replica(of: id) == nil else { return }
        if containers[container].session.version == .four, random.chance(0.5) {
            let code = FailureCode(rawValue: UInt32(random.integer(1...6)))
            let failure = BatchFailure(id: id, code: code, reason: "forged")
            let occurrence: Occurrence = kind == .forgedAnswer ? .forgedFailures : .unknownFailures
            return sayWrongly(.failure(failure), container, kind, occurrence)
        }
        let response = PredictResponse(id: id, outputs: Outputs(Array(repeating: "forged", count: size)))
        sayWrongly(.response(response), container, kind, kind == .forgedAnswer ? .forgedAnswers : .unknownAnswers)
    }

    private mutating func sayMalformed(_ container: Int) {
        if containers[container].plan.offered == .four, random.chance(0.4) {
            containers[container].registersMalformed = true
            return
        }
        if containers[container].plan.offered == .three, random.chance(0.5) {
            // Well said, but not by one that has not offered it.
            let speech = ContainerSpeech.message(.goodbye(Goodbye(.stopping)), in: .four)
            return sayWrongly(speech, container, .malformedMessage, .messagesOfRPC4ForRPC3)
        }
        let errors = [
            WireError(.unknownType, frame: 1, expected: "0, 1 or 2", found: "7"),
            WireError(.unknownField, frame: 0, expected: "a field of register", found: "field 77"),
        ]
        sayWrongly(.malformed(random.pick(errors)), container, .malformedMessage, .malformedMessages)
    }

    /// The registration that a container now sends is not to be understood. False if it is.
    mutating func registerMalformed(_ container: Int) -> Bool {
        guard containers[container].registersMalformed else { return false }
        containers[container].registersMalformed = false
        let error = WireError(.unknownField, frame: 0, expected: "a field of register", found: "field 77")
        let isKnown = containers[container].session.version == .four
        sayWrongly(.malformed(error, isRegistration: isKnown), container, .malformedMessage, .malformedMessages)
        return true
    }

    /// What a container says that it serves when it serves a model, or one that no catalog has.
    private func registration(of container: Int, as model: Int) -> Registration {
        var registration = containers[container].registration
        let known = scenario.models.indices.contains(model) ? scenario.models[model].version : nil
        registration.modelName = known?.name ?? "nobody-asked-for-it"
        registration.modelVersion = known?.version ?? "1"
        registration.rpcVersion = containers[container].session.version
        if registration.rpcVersion == .three { registration.details = RegistrationDetails() }
        return registration
    }

    private mutating func registerAsAnother(_ container: Int) {
        let model = random.below(scenario.models.count + 1)
        guard containers[container].connection != nil else { return }
        containers[container].servedModel = model
        sayWrongly(
            .newContainer(registration(of: container, as: model)), container, .registersAsAnother,
            model < scenario.models.count ? .registrationsReplaced : .foreignModels)
    }

    private mutating func sayWrongly(
        _ message: ContainerMessage, _ container: Int, _ kind: Misbehaviour, _ occurrence: Occurrence
    ) {
        sayWrongly(.message(message, in: version(of: message, container)), container, kind, occurrence)
    }

    private mutating func sayWrongly(
        _ speech: ContainerSpeech, _ container: Int, _ kind: Misbehaviour, _ occurrence: Occurrence
    ) {
        guard let connection = containers[container].connection else { return }
        occurrences[occurrence] += 1
        note(.misbehaved, container, kind.rawValue, connection)
        connections[connection].hasMisbehaved = true
        say(speech, by: connection)
    }

    /// Answers a batch as planned. False if nothing is planned, and the right answer is to follow.
    mutating func answerWrongly(
        _ answer: ContainerMessage, to id: UInt32, _ container: Int, by connection: Int
    ) -> Bool {
        guard let plan = containers[container].nextAnswers.popLast() else { return false }
        switch (plan.kind, answer) {
        case (.duplicateAnswer, .response):
            sayWrongly(answer, container, plan.kind, .duplicateAnswers)
        case (.duplicateAnswer, .failure):
            sayWrongly(answer, container, plan.kind, .duplicateFailures)
        case (.lateAnswer, _):
            after(plan.duration, .answerLate(container: container, answer))
        case (.wrongOutputCount, .response(var wrong)):
            let outputs = wrong.outputs.strings
            wrong.outputs = Outputs(random.chance(0.5) ? outputs + ["one too many"] : outputs.dropLast())
            sayWrongly(.response(wrong), container, plan.kind, .wrongOutputCounts)
            return true
        case (.falselyTooLate, .response) where containers[container].session.version == .four:
            let failure = BatchFailure(id: id, code: .tooLate, reason: "not true")
            sayWrongly(.failure(failure), container, plan.kind, .falselyTooLate)
            return true
        case (.forgetsAnswer, _):
            occurrences[.forgottenAnswers] += 1
            note(.misbehaved, container, plan.kind.rawValue, connection)
            connections[connection].hasMisbehaved = true
            connections[connection].hasForgotten = true
            return true
        default:
            break
        }
        return false
    }

    mutating func answerLate(_ container: Int, _ answer: ContainerMessage) {
        guard containers[container].isRunning, !containers[container].isFrozen else { return }
        if case .failure = answer {
            // RPC 3 has no word for it.
            guard containers[container].session.version == .four else { return }
            return sayWrongly(answer, container, .lateAnswer, .lateFailures)
        }
        sayWrongly(answer, container, .lateAnswer, .lateAnswers)
    }
}
