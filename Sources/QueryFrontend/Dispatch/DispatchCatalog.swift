package import ContainerRPC

/// What operators ask of the core: another catalog, replicas that drain, and what it knows.
extension DispatchCore {
    /// Takes over a new catalog.
    ///
    /// - Returns: the model versions whose outputs the cache has and is to have no longer: those that are gone, and those
    ///   whose outputs may be kept now and might not before, or the other way round.
    package mutating func publish(_ new: Catalog, now: MonotonicTime) -> [ModelHandle] {
        // In an order that does not hang on dictionaries: equal events have equal effects.
        var uncached: [ModelHandle] = []
        for id in catalog.models.values.sorted(by: { $0.registration < $1.registration }).map(\.id)
        where new.models[id] == nil {
            let handle = handles.handle(for: id)
            scheduler.removeModel(handle)
            sessions.dismiss(id)
            metrics.forgetModel(handle)
            uncached.append(handle)
        }
        for model in new.models.values.sorted(by: { $0.registration < $1.registration })
        where catalog.models[model.id] != model {
            let id = model.id
            let handle = handles.handle(for: id)
            if let before = catalog.models[id], before.cachesPredictions != model.cachesPredictions {
                uncached.append(handle)
            }
            metrics.noteModel(handle, id, now: now)
            scheduler.setModel(handle, ModelSettings(inputType: model.inputType, batching: model.batching))
            for replica in unregistered.take(of: id) {
                schedule(replica.id, replica.registration, of: handle, now: now)
                scheduler.setDraining(replica.isDraining, replica.id)
            }
            sessions.recall(id, inputType: model.inputType)
        }
        for name in catalog.applications.keys.sorted() where new.applications[name] == nil {
            let handle = handles.handle(forApplication: name)
            metrics.applications[handle] = nil
            applicationTypes[handle] = nil
            scheduler.setApplication(handle, hedging: nil)
            selector.removeApplication(handle, now: now)
            // Registered again, it is another application, which has not been asked what this one was.
            selector.forgetAnswered(of: handle)
        }
        // What models an application has hangs on all of them; without a policy only its own settings count.
        let modelsChanged = catalog.models != new.models || catalog.currentVersions != new.currentVersions
        for (name, application) in new.applications.sorted(by: { $0.key < $1.key })
        where catalog.applications[name] != application || (modelsChanged && application.selects) {
            let handle = handles.handle(forApplication: name)
            metrics.noteApplication(handle, name, now: now)
            applicationTypes[handle] = application.inputType
            scheduler.setApplication(handle, hedging: application.hedging)
            setSelection(of: application, handle, in: new, now: now)
        }
        catalog = new
        // A version may be registered again before the turn goes on: what its containers had is not for that one.
        takeUpSessions(now: now)
        return uncached
    }

    /// Policies choose among current versions; a model that has none is as one without a replica.
    private mutating func setSelection(
        of application: Application, _ handle: ApplicationHandle, in catalog: Catalog, now: MonotonicTime
    ) {
        let settings = application.selection
        // The catalog has checked that the policy can be made.
        guard application.selects, let policy = try? policies.policy(for: settings.policy) else {
            return selector.removeApplication(handle, now: now, serving: scheduler.served.serving(of:))
        }
        let names = application.linkedModels + settings.shadows.filter { !application.linkedModels.contains($0) }
        let models = names.compactMap { name -> Selector.LinkedModel? in
            guard let model = catalog.currentModel(named: name), model.inputType == application.inputType else {
                return nil
            }
            return Selector.LinkedModel(
                name: name, label: "\(name):\(model.id.version)", handle: handles.handle(for: model.id),
                caches: model.cachesPredictions && cache.isOn, isShadow: settings.shadows.contains(name))
        }
        selector.setApplication(
            handle, application.name, defaultOutput: application.defaultOutput, settings, policy: policy,
            policyName: policies.knownName(for: settings.policy.name) ?? settings.policy.name, models: models)
    }

    // MARK: Draining

    /// A replica gets nothing new and, where that is asked for, ends once it has answered all that it has; or it is taken
    /// back.
    package mutating func set(_ draining: Draining, _ replica: ReplicaID) {
        scheduler.setDraining(draining != .end, replica)
        unregistered.setDraining(draining != .end, replica)
        if draining == .beginAndStop { toBeStopped.insert(replica) } else { toBeStopped.remove(replica) }
    }

    /// Tells containers that have drained to end. One that what waits has nobody else for goes on.
    mutating func releaseDrained() {
        for replica in toBeStopped.sorted(by: { $0.number < $1.number }) where !scheduler.isNeeded(replica) {
            toBeStopped.remove(replica)
            sessions.release(replica)
        }
    }

    // MARK: What it knows

    func report(withSelections: Bool = false, now: MonotonicTime) -> DispatchReport {
        var report = DispatchReport(now: now)
        report.rpcConnections = sessions.connections.count
        report.metrics = metrics
        report.catalog = catalog
        report.replicas = sessions.listings
        report.completed = completed
        // The scheduler does not know those of models that nobody has registered.
        report.loads = scheduler.loads
        for id in catalog.models.keys {
            let handle = handles.handle(for: id)
            report.queued[id] = scheduler.queuedCount(of: handle)
            report.queuedBytes[id] = scheduler.queuedBytes(of: handle)
            report.counters[id] = scheduler.counters(of: handle)
        }
        report.cache = cache.statistics
        guard withSelections else { return report }
        report.selections = catalog.applications.keys.sorted().compactMap {
            selector.report(on: handles.handle(forApplication: $0), serving: scheduler.served.serving(of:))
        }
        return report
    }
}
