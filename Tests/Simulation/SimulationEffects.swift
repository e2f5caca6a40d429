import ContainerRPC
import QueryFrontend

/// What follows for the frontend from what containers say, and from what becomes of them.
extension Simulation {
    mutating func performSessionEffects() {
        while !frontend.sessions.effects.isEmpty {
            let effects = frontend.sessions.effects
            frontend.sessions.clearEffects()
            for effect in effects { perform(effect) }
        }
    }

    private mutating func perform(_ effect: ContainerSessions.Effect) {
        switch effect {
        case .send(let message, let version, let peer):
            if case .refused(let refusal) = message {
                occurrences[.refusals] += 1
                occurrences[refusal.code == .inputTypeMismatch ? .refusalsOfType : .refusalsOfMalformed] += 1
            }
            if send(message, in: version, to: peer) == .unreachable { frontend.sessions.lose(peer) }
        case .completed(let replica, let response):
            note(.completed, Int(response.id), replica.number, response.outputs.count)
            if oracle.record(replica)?.isLeaving == true { occurrences[.batchesAnsweredWhileLeaving] += 1 }
            oracle.completed(response, on: replica, at: now)
            frontend.scheduler.complete(
                batch: response.id, on: replica, response.outputs.rendered, computeTime: response.computeTime, now: now)
        case .failed(let replica, let failure):
            note(.failed, Int(failure.id), replica.number, Int(failure.code.rawValue))
            oracle.failed(failure, on: replica, connections, at: now)
            frontend.scheduler.fail(
                batch: failure.id, on: replica, failure.code, failure.reason ?? failure.code.description, now: now)
        case .leaving(let replica):
            leave(replica)
        case .added(let replica, let registration):
            add(replica, registration)
        case .removed(let replica, _, let reason):
            note(.replicaRemoved, replica.number, 0, occurrence(of: reason).rawValue)
            occurrences[occurrence(of: reason)] += 1
            if reason == .silent, oracle.record(replica)?.batches.isEmpty == false {
                occurrences[.lostSilentAtWork] += 1
            }
            oracle.removed(replica, reason, connections, timing: scenario.timing, at: now)
            frontend.scheduler.removeReplica(replica, now: now)
        case .badMessage(let peer, _, _):
            occurrences[.badMessagesNoted] += 1
            note(.badMessage, connection(of: peer).map { connections[$0].container } ?? -1)
        }
    }

    private mutating func add(_ replica: ReplicaID, _ registration: Registration) {
        let inputType = registration.inputType
        let model = scenario.index(of: registration.model)
        let origin = frontend.origins[replica]
        let peer = frontend.sessions.peer(of: replica)?.id
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
        frontend.scheduler.addReplica(
            replica, of: ModelHandle(index: model), inputType: inputType,
            capacity: ReplicaCapacity(of: registration.details), now: now)
    }

    private mutating func leave(_ replica: ReplicaID) {
        if let record = oracle.record(replica) {
            let container = record.connection < 0 ? -1 : connections[record.connection].container
            note(.replicaLeaves, replica.number, container, record.batches.count)
            if !record.batches.isEmpty { occurrences[.goodbyesWithBatchesInFlight] += 1 }
            if frontend.scheduler.queuedCount(of: ModelHandle(index: record.model)) > 0 {
                occurrences[.goodbyesWithQueriesWaiting] += 1
            }
        }
        oracle.replicas[replica.number]?.isLeaving = true
        frontend.scheduler.setLeaving(replica)
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
        case .refused: .refusals
        }
    }
}
