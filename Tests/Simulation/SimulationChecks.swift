import ContainerRPC
import QueryFrontend

/// What must hold after every turn, and at the end.
extension Simulation {
    /// After a turn.
    mutating func check() {
        for model in scenario.models.indices {
            let queued = frontend.core.scheduler.queuedCount(of: ModelHandle(index: model))
            guard queued > 0 else { continue }
            if !oracle.isRegistered[model] {
                oracle.violate("queries wait for model \(model), which is not registered", at: now)
            }
            // Queries of lost replicas, and hedges, come on top of what the door has let in.
            let bytes = frontend.core.scheduler.queuedBytes(of: ModelHandle(index: model))
            if !oracle.hasSentAgain, oracle.hedgeShare.allSatisfy({ $0 == 0 }),
                scenario.selecting.allSatisfy({ $0.hedging == nil }),
                queued > scenario.mostQueued || bytes > scenario.mostQueuedBytes
            {
                oracle.violate("\(queued) queries of \(bytes) bytes wait for model \(model), more than may", at: now)
            }
            guard oracle.batching[model].maxDelay == .zero else { continue }
            checkWorkConserving(model)
        }
        if !oracle.noted.isEmpty, !oracle.isCatchingUp(now) {
            for connection in oracle.noted { checkLoss(of: connection) }
            oracle.noted.removeAll(keepingCapacity: true)
        }
        checkSilence()
        checkSelector()
        if frontend.core.cache.statistics.byteCount > scenario.cacheBytes {
            oracle.violate("the cache holds more than it may", at: now)
        }
    }

    /// Who says nothing and has nothing to do is given up in time.
    private mutating func checkSilence() {
        let limit = scenario.timing.silenceLimit.wholeNanoseconds + millisecond
        guard !oracle.isCatchingUp(now) else { return }
        for (number, replica) in oracle.replicas.enumerated() {
            guard let replica, replica.connection >= 0, !replica.mayBeSilent else { continue }
            let connection = connections[replica.connection]
            guard connection.isOpenAtFrontend, now.nanoseconds > connection.lastHeard.nanoseconds + limit else {
                continue
            }
            // It may still have batches of a registration that was deleted: then it is busy all the same.
            let listing = frontend.core.sessions.listings.first { $0.id.number == number }
            if listing.map({ $0.batchesInFlight + $0.voidBatches == 0 }) ?? false || replica.beatsWhileBusy {
                oracle.violate("replica \(number) is listed though it has been silent for too long", at: now)
            }
        }
    }

    /// A lost connection has taken its replica with it.
    private mutating func checkLoss(of number: Int) {
        guard let left = oracle.replicas.firstIndex(where: { $0?.connection == number }) else { return }
        let newest = newestConnections[connections[number].container]
        if newest >= 0, newest != number, connections[newest].peer == connections[number].peer,
            connections[newest].descriptor == connections[number].descriptor
        {
            // It came back under the same routing id and descriptor before anybody looked: it goes on as what it was.
            oracle.replicas[left]?.connection = newest
        } else if !connections[(number + 1)...].contains(where: {
            $0.descriptor == connections[number].descriptor && $0.isLikeTheLast
        }) {
            // Else it was taken for the connection that has its descriptor now, as long as no batch is sent to it.
            oracle.violate("replica \(left) is listed, and its connection was lost", at: now)
        }
    }

    /// No replica has nothing to do while a query waits that it could answer in time, as far as it is known.
    private mutating func checkWorkConserving(_ model: Int) {
        for (number, replica) in oracle.replicas.enumerated() {
            guard let replica, oracle.isSuitable(replica, model), replica.takesNew, replica.isFree,
                let load = frontend.core.scheduler.loads[ReplicaID(number: number)]
            else { continue }
            let id = ReplicaID(number: number)
            // One that has failed rests beside others.
            if replica.failures > 0 || replica.wasRash, oracle.hasSuitableReplica(model, except: id) { continue }
            let needed = (load.intercept ?? .zero) + (load.slope ?? .zero)
            guard let query = oracle.waitingQuery(of: model, for: id, dueAfter: now + needed) else { continue }
            oracle.violate("query \(query) waits, and replica \(number), \(load.state), has nothing to do", at: now)
        }
    }

    /// When all that was under way has come to its end.
    mutating func checkNothingIsLeft() {
        for (number, query) in oracle.queries.enumerated() where !query.isAnswered && !query.isGone {
            return oracle.violate("query \(number) was never answered", at: now)
        }
        checkNothingIsLeftOfSelecting()
        if frontend.core.scheduler.pendingCount != 0 {
            oracle.violate("\(frontend.core.scheduler.pendingCount) queries are pending in an idle frontend", at: now)
        }
        for model in 0...scenario.models.count {
            let handle = ModelHandle(index: model)
            let queued = frontend.core.scheduler.queuedCount(of: handle)
            let bytes = frontend.core.scheduler.queuedBytes(of: handle)
            let underWay = frontend.core.scheduler.underWayCount(of: handle)
            if queued != 0 || bytes != 0 || underWay != 0 {
                oracle.violate(
                    "\(queued) queries of \(bytes) bytes wait for model \(model) in an idle frontend, "
                        + "\(underWay) are under way", at: now)
            }
        }
        for listing in frontend.core.sessions.listings {
            if listing.batchesInFlight + listing.voidBatches != 0 {
                oracle.violate("replica \(listing.id.number) has batches in flight for ever: its session", at: now)
            }
            if let load = frontend.core.scheduler.loads[listing.id] {
                if load.batchesInFlight != 0 {
                    oracle.violate(
                        "replica \(listing.id.number) has batches in flight for ever: the scheduler", at: now)
                }
                let isDraining = oracle.record(listing.id)?.takesNew == false
                if load.state == .stuck || (load.state == .draining) != isDraining {
                    oracle.violate("replica \(listing.id.number) is \(load.state) and has nothing to do", at: now)
                }
            } else if scenario.models.contains(where: { $0.version == listing.model }) {
                oracle.violate("the scheduler does not know replica \(listing.id.number)", at: now)
            }
            if let record = oracle.record(listing.id), record.isToEnd, record.version == .four, record.connection >= 0 {
                oracle.violate("replica \(listing.id.number) has drained, and is not told to end", at: now)
            }
            if let record = oracle.record(listing.id), !record.batches.isEmpty {
                oracle.violate("replica \(listing.id.number) has never answered a batch", at: now)
            }
        }
    }

    /// When nothing has gone wrong for long.
    mutating func checkAllContainersServe() {
        let listings = frontend.core.sessions.listings
        let listed = Set(listings.compactMap { oracle.record($0.id)?.connection })
        let missing = containers.firstIndex { !listed.contains($0.connection ?? -1) && !isRefused($0) }
        if listings.count > containers.count || missing != nil {
            oracle.violate(
                "\(listings.count) replicas are listed for \(containers.count) containers that are well; "
                    + "container \(missing ?? -1) is not", at: now)
        }
    }

    /// Whether the frontend refuses a container whenever it comes.
    func isRefused(_ container: SimulatedContainer) -> Bool {
        let model = container.plan.model
        return container.plan.offered == .four && frontend.speaksVersion4 && oracle.isRegistered[model]
            && container.plan.inputType != scenario.models[model].inputType
    }
}
