package import ContainerRPC

/// Decides which queries go to which replica in which batch, and which get the default output instead.
///
/// A value without I/O: events and a time go in; what is to be sent and answered gathers in `effects` until the one who
/// drives it takes it. One queue per model version, ordered by deadline, is shared by its replicas. It is work-conserving:
/// a replica with room gets what is queued, up to the model's limit, the one that is done first first.
package struct Scheduler: Sendable {
    /// What a model may hold.
    package struct Bounds: Hashable, Sendable {
        /// Batches that one replica may have in flight: the second hides the way there and back.
        package var slotsPerReplica: Int
        /// Queries that may wait for one model.
        package var queuedQueries: Int
        /// Bytes of inputs that may wait for one model.
        package var queuedBytes: Int
        /// How long a replica's first batch may take, how long a stuck replica may be stuck that nobody waits for any more
        /// until it is called lost, and how long a container whose model was deleted has for what it had.
        package var patience: Duration

        package init(
            slotsPerReplica: Int = 2, queuedQueries: Int = 100_000, queuedBytes: Int = 256 << 20,
            patience: Duration = .seconds(30)
        ) {
            self.slotsPerReplica = slotsPerReplica
            self.queuedQueries = queuedQueries
            self.queuedBytes = queuedBytes
            self.patience = patience
        }
    }

    private let bounds: Bounds
    private var models: [ModelScheduler] = []
    /// The models that are registered, or have replicas or queries under way, by the handles' indices, in their order. Others
    /// need not be looked at: a handle is for the process's life, and a turn is not to take longer for each that ever was.
    package private(set) var inUse: [Int] = []
    /// Where each replica belongs.
    private var modelOf: [ReplicaID: ModelHandle] = [:]
    private var ids: BatchIDs
    private var hedges = HedgeBudgets()
    /// Models to which something has happened since `dispatch` looked at them, in the order in which it did.
    private var touched: [Int] = []
    /// When `tick` has something to do: a lower bound, found anew when it is reached.
    private var nextEvent = MonotonicTime.distantFuture

    /// When a replica of each model is expected to take a batch, as of its last `dispatch`, by the handles' indices. Until
    /// then a query can only be queued.
    package private(set) var openings: [MonotonicTime] = []

    /// What can be expected of the models' replicas.
    package private(set) var served = ServedModels()

    /// What is to be carried out.
    package private(set) var effects = SchedulerEffects()

    /// - Parameter firstBatch: where ids begin; a random one keeps late answers to an earlier frontend from being
    ///   taken for answers to this one.
    package init(bounds: Bounds = Bounds(), firstBatch: UInt32 = 0) {
        self.bounds = bounds
        ids = BatchIDs(last: firstBatch)
    }

    /// When `tick` has something to do at the latest.
    package var deadline: MonotonicTime? {
        nextEvent == .distantFuture ? nil : nextEvent
    }

    /// Whether no query waits and no batch is in flight.
    package var isAtRest: Bool { inUse.allSatisfy { models[$0].isAtRest } }

    /// Takes the effects, to carry them out.
    package mutating func takeEffects() -> SchedulerEffects {
        var taken = SchedulerEffects()
        exchangeEffects(&taken)
        return taken
    }

    /// Takes the effects, and leaves others that are empty: their memory serves anew.
    package mutating func exchangeEffects(_ empty: inout SchedulerEffects) {
        swap(&empty, &effects)
    }

    // MARK: Models, applications and replicas

    /// A model version is registered, or its settings have changed.
    package mutating func setModel(_ model: ModelHandle, _ settings: ModelSettings) {
        with(model) { scheduler, _, _ in scheduler.set(settings) }
    }

    /// A model version is no longer registered: what waits for it gets the default.
    package mutating func removeModel(_ model: ModelHandle) {
        with(model) { scheduler, _, effects in scheduler.close(&effects) }
    }

    /// Whether an application's queries are hedged, and when.
    package mutating func setApplication(_ application: ApplicationHandle, hedging: Hedging?) {
        hedges.set(hedging, of: application)
    }

    /// A container has registered. It is given work once its model version is registered with the same input type.
    package mutating func addReplica(
        _ id: ReplicaID, of model: ModelHandle, inputType: InputType, capacity: ReplicaCapacity = ReplicaCapacity(),
        now: MonotonicTime
    ) {
        modelOf[id] = model
        with(model) { scheduler, _, _ in scheduler.add(id, inputType: inputType, capacity: capacity, now: now) }
    }

    /// A replica is lost: its queries go back to the front of their queue while their deadlines allow.
    ///
    /// - Returns: how many went back.
    @discardableResult
    package mutating func removeReplica(_ id: ReplicaID, now: MonotonicTime) -> Int {
        guard let model = modelOf.removeValue(forKey: id) else { return 0 }
        return with(model) { scheduler, _, effects in scheduler.remove(id, now: now, &effects) }
    }

    /// A replica gets nothing new, and keeps what it has; or it is taken back.
    package mutating func setDraining(_ isDraining: Bool, _ id: ReplicaID) {
        guard let model = modelOf[id] else { return }
        with(model) { scheduler, _, _ in scheduler.setDraining(isDraining, id) }
    }

    /// A container has said goodbye: its replica keeps what it has and gets nothing more, whatever an operator says.
    package mutating func setLeaving(_ id: ReplicaID) {
        guard let model = modelOf[id] else { return }
        with(model) { scheduler, _, _ in scheduler.setLeaving(id) }
    }

    // MARK: Queries

    /// A query with a key of that hash is about to be submitted. Where equal ones are looked for is memory far away, and
    /// that of several comes in the time of one.
    package func prefetch(keyHash: Int, of model: ModelHandle) {
        guard models.indices.contains(model.index) else { return }
        models[model.index].running.prefetch(hash: keyHash)
    }

    /// A query has come. It is sent by the next `dispatch`, so that those that come together travel together.
    package mutating func submit(_ query: Query, now: MonotonicTime) {
        with(query.model) { scheduler, hedges, effects in
            scheduler.submit(query, now: now, hedges: &hedges, &effects)
        }
    }

    /// A replica has answered a batch, with an output or an error for each query.
    ///
    /// - Parameter computeTime: what the container says that its model took.
    /// - Returns: the model, and how long the batch took; `nil` for a batch that is not in flight on this replica.
    @discardableResult
    package mutating func complete(
        batch: UInt32, on replica: ReplicaID, _ outputs: Outputs, computeTime: Duration? = nil, now: MonotonicTime
    ) -> CompletedBatch? {
        guard let model = modelOf[replica] else { return nil }
        return with(model) { scheduler, _, effects in
            scheduler.complete(batch, on: replica, outputs, computeTime: computeTime, now: now, &effects)
        }
    }

    /// A replica has failed for a batch, or has not computed it.
    package mutating func fail(
        batch: UInt32, on replica: ReplicaID, _ code: FailureCode, _ reason: String, now: MonotonicTime
    ) {
        guard let model = modelOf[replica] else { return }
        with(model) { scheduler, _, effects in
            scheduler.failBatch(batch, on: replica, code, reason, now: now, &effects)
        }
    }

    /// Time has passed: queries whose deadline has come get the default, those of late batches are hedged.
    ///
    /// - Parameter judgesReplicas: whether all answers that have come were given to it, so that whoever has not answered is
    ///   late.
    package mutating func tick(judgesReplicas: Bool = true, now: MonotonicTime) {
        guard now >= nextEvent else { return }
        nextEvent = .distantFuture
        for index in inUse {
            if models[index].nextEvent <= now {
                with(ModelHandle(index: index)) { scheduler, hedges, effects in
                    scheduler.tick(judgesReplicas: judgesReplicas, now: now, hedges: &hedges, &effects)
                }
            }
            nextEvent = min(nextEvent, models[index].nextEvent)
        }
    }

    /// Gives replicas with room what is queued. Call it after the events of one turn, and after `tick`.
    package mutating func dispatch(now: MonotonicTime) {
        guard !touched.isEmpty else { return }
        for index in touched {
            models[index].dispatch(now: now, ids: &ids, hedges: &hedges, &effects)
            takeBackHedges(of: index)
            openings[index] = models[index].opening
            nextEvent = min(nextEvent, models[index].nextEvent)
            served.note(models[index].handle, models[index].serving)
            noteUse(of: index)
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// Everything that waits or is in flight gets the default: the frontend ends.
    package mutating func abandonAll(_ reason: DefaultReason) {
        for index in inUse { models[index].abandon(reason, &effects) }
    }

    /// Hands one model's scheduler what models share, and notes what that has changed.
    @discardableResult
    private mutating func with<Result>(
        _ model: ModelHandle,
        _ body: (inout ModelScheduler, inout HedgeBudgets, inout SchedulerEffects) -> Result
    ) -> Result {
        while models.count <= model.index {
            models.append(ModelScheduler(handle: ModelHandle(index: models.count), bounds: bounds))
            openings.append(.distantPast)
        }
        let wasTouched = models[model.index].isTouched
        let result = body(&models[model.index], &hedges, &effects)
        takeBackHedges(of: model.index)
        served.note(model, models[model.index].serving)
        nextEvent = min(nextEvent, models[model.index].nextEvent)
        if !wasTouched, models[model.index].isTouched { touched.append(model.index) }
        noteUse(of: model.index)
        return result
    }

    private mutating func noteUse(of index: Int) {
        let isInUse = models[index].isInUse
        guard isInUse != models[index].isNotedInUse else { return }
        models[index].isNotedInUse = isInUse
        if isInUse {
            inUse.insert(index, at: inUse.firstIndex { $0 > index } ?? inUse.count)
        } else {
            inUse.removeAll { $0 == index }
        }
    }

    private mutating func takeBackHedges(of model: Int) {
        guard !models[model].unspentHedges.isEmpty else { return }
        for application in models[model].unspentHedges { hedges.giveBack(application) }
        models[model].unspentHedges.removeAll(keepingCapacity: true)
    }

    // MARK: Reports

    /// Those who wait for an outcome.
    package var pendingCount: Int { inUse.reduce(0) { $0 + models[$1].waitingCount } }

    /// What a registered model takes.
    package func inputType(of model: ModelHandle) -> InputType? {
        models.indices.contains(model.index) ? models[model.index].settings?.inputType : nil
    }

    /// Queries that wait for a model.
    package func queuedCount(of model: ModelHandle) -> Int { existing(model)?.queuedCount ?? 0 }

    /// Bytes of inputs that wait for a model.
    package func queuedBytes(of model: ModelHandle) -> Int { existing(model)?.queuedBytes ?? 0 }

    /// What was counted for a model.
    package func counters(of model: ModelHandle) -> SchedulingCounters {
        existing(model)?.counters ?? SchedulingCounters()
    }

    /// Queries under way for a model, with and without someone who still waits.
    package func underWayCount(of model: ModelHandle) -> Int { existing(model)?.table.count ?? 0 }

    /// Whether a replica works on something, or is the only one for what waits.
    package func isNeeded(_ replica: ReplicaID) -> Bool {
        guard let model = modelOf[replica].flatMap(existing),
            let index = model.replicas.firstIndex(where: { $0.id == replica })
        else { return false }
        return model.isAtWork(index) || (model.queuedCount > 0 && model.activeCount == 0)
    }

    /// Whether an operator has drained a replica.
    func isDraining(_ replica: ReplicaID) -> Bool {
        modelOf[replica].flatMap(existing)?.replicas.first { $0.id == replica }?.isDraining ?? false
    }

    /// What a replica is scheduled for.
    func model(of replica: ReplicaID) -> ModelHandle? { modelOf[replica] }

    /// How all replicas do.
    package var loads: [ReplicaID: ReplicaLoad] {
        var loads: [ReplicaID: ReplicaLoad] = [:]
        for index in inUse {
            for replica in models[index].replicas { loads[replica.id] = ReplicaLoad(replica) }
        }
        return loads
    }

    private func existing(_ model: ModelHandle) -> ModelScheduler? {
        models.indices.contains(model.index) ? models[model.index] : nil
    }
}
