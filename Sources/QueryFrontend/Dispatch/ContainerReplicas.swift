package import ContainerRPC

/// Which sessions are replicas, of what, and under which numbers.
extension ContainerSessions {
    /// A container of RPC 4 whose model takes other inputs is told so; one of RPC 3 is listed and gets nothing.
    mutating func register(_ id: SessionID, _ registration: Registration) {
        if registration.rpcVersion == .four, let taken = inputTypes[registration.model],
            taken != registration.inputType
        {
            return refuse(id, registration, taken)
        }
        entries[id]?.isDismissed = false
        list(id, registration)
        accept(id)
    }

    /// A container's model takes other inputs: it is told so, and its session ends.
    private mutating func refuse(_ id: SessionID, _ registration: Registration, _ taken: InputType) {
        guard let peer = entries[id]?.peer else { return }
        let reason = """
            the model \(registration.model) is registered with inputs of type \(taken), and this container takes \
            \(registration.inputType): start it with that type, or register the model under another version
            """
        let refusal = Refusal(.inputTypeMismatch, reason: reason)
        unlist(id, .dismissed)
        effects.append(.send(.refused(refusal), in: .four, to: peer))
        effects.append(.refused(registration, refusal))
        end(id, .refused(refusal))
    }

    mutating func accept(_ id: SessionID) {
        guard let entry = entries[id], entry.session.version == .four else { return }
        let number = entry.replica == nil ? nil : UInt32(clamping: entry.number)
        effects.append(.send(.accepted(replica: number), in: .four, to: entry.peer))
    }

    private mutating func list(_ id: SessionID, _ registration: Registration) {
        let model = ModelVersion(name: registration.modelName, version: registration.modelVersion)
        let replica = ReplicaID(number: nextReplica)
        nextReplica += 1
        let number = nextNumber[model, default: 0]
        nextNumber[model] = number + 1
        listedCount[model, default: 0] += 1
        entries[id]?.replica = replica
        entries[id]?.number = number
        byReplica[replica] = id
        effects.append(.added(replica, registration, number: number))
        guard entries[id]?.isToDrain == true else { return }
        entries[id]?.isToDrain = false
        effects.append(.drains(replica))
    }

    /// A model version is deleted: its containers are no replicas any more. They stay connected, and are listed again as
    /// those of a model that nobody has registered, once they have answered what they had.
    package mutating func dismiss(_ model: ModelVersion) {
        inputTypes[model] = nil
        for id in sessions(where: { $0.session.registration?.model == model }) {
            unlist(id, .dismissed)
            entries[id]?.isDismissed = true
            entries[id]?.session.voidBatches()
            takeBack(id)
            if let due = entries[id].flatMap(overdue) { nextCheck = min(nextCheck, due) }
        }
    }

    /// A model version is registered, or changed: containers that were dismissed serve it again, but for those that
    /// leave. One of RPC 4 that takes other inputs is refused, as if it had come after.
    package mutating func recall(_ model: ModelVersion, inputType: InputType) {
        inputTypes[model] = inputType
        everRegistered.insert(model)
        for id in sessions(where: { $0.session.registration?.model == model && $0.session.goodbye == nil }) {
            guard let registration = entries[id]?.session.registration else { continue }
            entries[id]?.isDismissed = false
            if registration.rpcVersion == .four, registration.inputType != inputType {
                refuse(id, registration, inputType)
            } else {
                takeBack(id)
            }
        }
    }

    /// Lists a container that was dismissed.
    ///
    /// Batches that it was sent before still count for it, and not for the scheduler: it has to answer them first, but where
    /// its model is registered again by now, and it has not said how many it takes. One that never does is asked to
    /// register anew (`tick`).
    mutating func takeBack(_ id: SessionID) {
        guard let entry = entries[id], entry.replica == nil, entry.session.goodbye == nil,
            let registration = entry.session.registration
        else { return }
        let mayHaveMore = inputTypes[registration.model] != nil && registration.details.batchesInFlight == nil
        guard mayHaveMore || entry.session.batchesInFlight == 0 else { return }
        list(id, registration)
    }

    /// The session's replica serves no more.
    mutating func unlist(_ id: SessionID, _ reason: FrontendSession.EndReason) {
        guard let replica = entries[id]?.replica, let registration = entries[id]?.session.registration else { return }
        entries[id]?.replica = nil
        byReplica[replica] = nil
        effects.append(.removed(replica, registration.model, reason))
        let model = registration.model
        let left = listedCount[model, default: 1] - 1
        listedCount[model] = left == 0 ? nil : left
        // Of a name that nobody but containers has ever said nothing is kept.
        if left == 0, !everRegistered.contains(model) { nextNumber[model] = nil }
    }

    /// The replicas that are listed.
    package var listings: [ReplicaListing] {
        entries.values.compactMap { entry in
            guard let replica = entry.replica, let registration = entry.session.registration else { return nil }
            return ReplicaListing(
                id: replica, model: registration.model, number: entry.number, inputType: registration.inputType,
                rpcVersion: entry.session.version, details: registration.details,
                batchesInFlight: entry.session.batchesInFlight - entry.session.voidBatchCount,
                voidBatches: entry.session.voidBatchCount, lastReceived: entry.session.lastReceived,
                isDismissed: entry.isDismissed)
        }
        .sorted { ($0.model.name, $0.model.version, $0.number) < ($1.model.name, $1.model.version, $1.number) }
    }
}
