import ContainerRPC
import QueryFrontend

/// What follows for the frontend from what containers say, and from what becomes of them.
extension Simulation {
    /// Carries out what the core has decided.
    mutating func carryOut() {
        let events = frontend.core.effects.takeEvents()
        for event in events { note(event) }
        let (messages, batches) = frontend.core.effects.takeSendings()
        for message in messages {
            if case .refused(let refusal) = message.message {
                occurrences[.refusals] += 1
                occurrences[refusal.code == .inputTypeMismatch ? .refusalsOfType : .refusalsOfMalformed] += 1
            }
            if send(message.message, in: message.version, to: message.peer) == .unreachable {
                frontend.core.sessions.lose(message.peer)
            }
        }
        // A goodbye that was sent just now, though it was said before they registered anew, was for the session before.
        for case .added(let replica, _, _, _) in events {
            if let connection = frontend.origins[replica] { connections[connection].wasToldGoodbye = false }
        }
        for batch in batches { send(batch) }
        let effects = frontend.core.effects
        for sink in effects.deliveries.indices {
            frontend.core.effects.deliveries[sink].removeAll()
            for delivery in effects.deliveries[sink] { deliver(delivery, to: sink) }
        }
        for sink in effects.acknowledgements.indices {
            frontend.core.effects.acknowledgements[sink].removeAll()
            for acknowledgement in effects.acknowledgements[sink] {
                acknowledge(acknowledgement.ticket, acknowledgement.result)
            }
        }
        handToStore(frontend.core.effects.takeStoreRequests())
    }

    private mutating func note(_ event: DispatchEvent) {
        switch event {
        case .completed(let replica, let response):
            note(.completed, Int(response.id), replica.number, response.outputs.count)
            if oracle.record(replica)?.isLeaving == true { occurrences[.batchesAnsweredWhileLeaving] += 1 }
            oracle.completed(response, on: replica, at: now)
        case .failed(let replica, let failure):
            note(.failed, Int(failure.id), replica.number, Int(failure.code.rawValue))
            oracle.failed(failure, on: replica, connections, at: now)
        case .leaving(let replica):
            leave(replica)
        case .added(let replica, let registration, _, _):
            add(replica, registration)
        case .drains(let replica):
            oracle.replicas[replica.number]?.isDraining = true
        case .removed(let replica, let reason, _):
            note(.replicaRemoved, replica.number, 0, occurrence(of: reason).rawValue)
            occurrences[occurrence(of: reason)] += 1
            if let record = oracle.record(replica) {
                if reason == .silent, !record.batches.isEmpty { occurrences[.lostSilentAtWork] += 1 }
                if reason == .drained, record.isToEnd, record.connection >= 0 {
                    connections[record.connection].wasReleased = true
                }
            }
            oracle.removed(replica, reason, connections, timing: scenario.timing, at: now)
        case .badMessage(let peer, _, _):
            occurrences[.badMessagesNoted] += 1
            note(.badMessage, connection(of: peer).map { connections[$0].container } ?? -1)
        case .chosen(let query):
            noteChosen(query)
        case .finished(let ticket, let outcome, let isCached):
            noteFinished(ticket, outcome, isCached: isCached)
        case .noticed(.stuck(let replica, _, _)):
            occurrences[.stuckDetected] += 1
            oracle.stuck(replica, at: now)
        case .noticed(.missing(let replica, _, let batch, _)):
            occurrences[.batchesMissing] += 1
            oracle.missing(batch, on: replica, at: now)
        case .noticed(.recovered(let replica, _)):
            occurrences[.stuckRecovered] += 1
            oracle.recovered(replica)
        case .inputFailed, .refused, .cut:
            break
        }
    }

    private mutating func send(_ batch: DispatchEffects.Batch) {
        let dispatch = batch.dispatch
        note(.sent, Int(dispatch.batch), dispatch.replica.number, dispatch.inputs.count)
        occurrences[.batches] += 1
        oracle.dispatched(dispatch, connections, &occurrences, at: now)
        occurrences[batch.version == .four ? .batchesInRPC4 : .batchesInRPC3] += 1
        let inputs = Inputs.values(of: dispatch.inputs, as: dispatch.inputType)
        let request = PredictRequest(
            id: dispatch.batch, inputs: inputs, budget: batch.version == .four ? dispatch.expires - now : nil)
        guard send(.request(request), in: batch.version, to: batch.peer) != .sent else { return }
        note(.unsent, Int(dispatch.batch), dispatch.replica.number)
        frontend.core.sessions.lose(dispatch.replica)
    }

    /// Someone's outcome has come.
    mutating func deliver(_ delivery: Delivery, to sink: Int) {
        // The inputs of a request are queries that follow each other.
        let number = Int(delivery.request) + delivery.item
        guard sink == SimulatedFrontend.Sinks.queries else {
            return deliverSelected(number, delivery.outcome, delivery.combined)
        }
        let elapsed = Int((now.nanoseconds - oracle.queries[number].arrived.nanoseconds) / microsecond)
        switch delivery.outcome {
        case .output:
            occurrences[.outputs] += 1
            note(.answered, number, elapsed)
        case .defaultOutput(let reason), .failed(let reason, _):
            let occurrence = occurrence(of: reason)
            occurrences[occurrence] += 1
            note(.defaulted, number, elapsed, occurrence.rawValue)
        }
        oracle.answered(number, delivery.outcome, isCached: false, at: now)
    }

    private mutating func add(_ replica: ReplicaID, _ registration: Registration) {
        let inputType = registration.inputType
        let model = scenario.index(of: registration.model)
        let origin = frontend.origins[replica]
        let peer = frontend.core.sessions.peer(of: replica)?.id
        let connection = origin ?? peer.flatMap { self.connection(of: $0) } ?? -1
        occurrences[.registrations] += 1
        occurrences[registration.rpcVersion == .four ? .registrationsInRPC4 : .registrationsInRPC3] += 1
        note(.replicaAdded, replica.number, model, connection < 0 ? -1 : connections[connection].container)
        if connection >= 0 {
            oracle.checkMayRegister(registration, model, by: connections[connection], anew: origin != nil, at: now)
            // Whoever goes on after a goodbye and registers once more begins a new session.
            if origin != nil { connections[connection].wasToldGoodbye = false }
        }
        oracle.added(replica, of: model, registration, connection: connection, at: now)
        if oracle.replicas.contains(where: { $0?.model == model && $0?.version != registration.rpcVersion }) {
            occurrences[.modelsOfBothVersions] += 1
        }
        if model < scenario.models.count, inputType != scenario.models[model].inputType {
            occurrences[.foreignInputTypes] += 1
        }
    }

    private mutating func leave(_ replica: ReplicaID) {
        if let record = oracle.record(replica) {
            let container = record.connection < 0 ? -1 : connections[record.connection].container
            note(.replicaLeaves, replica.number, container, record.batches.count)
            if !record.batches.isEmpty { occurrences[.goodbyesWithBatchesInFlight] += 1 }
            if frontend.core.scheduler.queuedCount(of: ModelHandle(index: record.model)) > 0 {
                occurrences[.goodbyesWithQueriesWaiting] += 1
            }
        }
        oracle.replicas[replica.number]?.isLeaving = true
    }

    mutating func connection(of peer: RoutingID) -> Int? {
        if let connection = peer.connection { return connection }
        return peer.container.map { newestConnections[$0] }
    }

    private mutating func occurrence(of reason: FrontendSession.EndReason) -> Occurrence {
        switch reason {
        case .silent: .lostSilent
        case .disconnected: .lostDisconnected
        case .malformed: .lostMalformed
        case .wrongOutputCount: .lostWrongOutputCount
        case .replaced: .lostReplaced
        case .dismissed: .lostDismissed
        case .left: .left
        case .drained: .drained
        case .unanswered: .lostUnanswered
        case .refused: .refusals
        }
    }
}
