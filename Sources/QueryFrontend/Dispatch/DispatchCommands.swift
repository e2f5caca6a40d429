import ContainerRPC

/// What the rest of the frontend asks of the dispatch thread, carried out by it between its turns.
extension DispatchLoop {
    func perform(_ command: Dispatcher.Command, now: MonotonicTime) {
        switch command {
        case .addSink(let sink, let continuation):
            sinks.append(sink)
            deliveries.append([])
            acknowledgements.append([])
            continuation.resume(returning: sinks.count - 1)
        case .publish(let new, let continuation):
            continuation.resume(returning: takeOver(new, now: now))
        case .report(let continuation):
            continuation.resume(returning: report(now: now))
        case .drain(let model, let replica, let draining, let continuation):
            let chosen = sessions.listings.filter { $0.model == model && (replica == nil || $0.number == replica) }
            for listing in chosen {
                scheduler.setDraining(draining != .end, listing.id)
                unregistered.setDraining(draining != .end, listing.id)
            }
            continuation.resume(returning: chosen.isEmpty ? nil : report(now: now))
            for listing in chosen {
                if draining == .beginAndStop { toBeStopped.insert(listing.id) } else { toBeStopped.remove(listing.id) }
            }
        case .selection(let application, let user, let continuation):
            selector.report(on: dispatcher.handles.handle(forApplication: application), user: user) {
                continuation.resume(returning: $0)
            }
        case .resetSelection(let application, let user, let continuation):
            selector.reset(dispatcher.handles.handle(forApplication: application), named: application, user: user) {
                continuation.resume(returning: $0)
            }
        case .stop(let continuation):
            stopRequests.append(continuation)
        }
    }

    /// Tells containers that have drained to end. One that what waits has nobody else for goes on.
    func releaseDrained() {
        for replica in toBeStopped.sorted(by: { $0.number < $1.number })
        where !scheduler.isNeeded(replica) {
            toBeStopped.remove(replica)
            sessions.release(replica)
        }
    }

    /// Returns the model versions that are gone.
    private func takeOver(_ new: Catalog, now: MonotonicTime) -> [ModelHandle] {
        var removed: [ModelHandle] = []
        for id in catalog.models.keys where new.models[id] == nil {
            let handle = dispatcher.handles.handle(for: id)
            scheduler.removeModel(handle)
            sessions.dismiss(id)
            metrics.forgetModel(handle)
            removed.append(handle)
        }
        for (id, model) in new.models where catalog.models[id] != model {
            let handle = dispatcher.handles.handle(for: id)
            modelNames[handle] = id
            metrics.noteModel(handle, id, now: now)
            scheduler.setModel(handle, ModelSettings(inputType: model.inputType, batching: model.batching))
            for replica in unregistered.take(of: id) {
                schedule(replica.id, replica.registration, of: handle, now: now)
                scheduler.setDraining(replica.isDraining, replica.id)
            }
            sessions.recall(id, inputType: model.inputType)
        }
        for name in catalog.applications.keys where new.applications[name] == nil {
            let handle = dispatcher.handles.handle(forApplication: name)
            metrics.applications[handle] = nil
            applicationTypes[handle] = nil
            selector.removeApplication(handle, now: now)
        }
        for (name, application) in new.applications {
            let handle = dispatcher.handles.handle(forApplication: name)
            metrics.noteApplication(handle, name, now: now)
            applicationTypes[handle] = application.inputType
            scheduler.setApplication(handle, hedging: application.hedging)
            setSelection(of: application, handle, in: new, now: now)
        }
        catalog = new
        return removed
    }

    /// Policies choose among current versions; a model that has none is as one without a replica.
    private func setSelection(
        of application: Application, _ handle: ApplicationHandle, in catalog: Catalog, now: MonotonicTime
    ) {
        let settings = application.selection
        // The catalog has checked that the policy can be made.
        guard application.selects, let policy = try? policies.policy(for: settings.policy) else {
            return selector.removeApplication(handle, now: now) { scheduler.isServed($0) }
        }
        let names = application.linkedModels + settings.shadows.filter { !application.linkedModels.contains($0) }
        let models = names.compactMap { name -> Selector.LinkedModel? in
            guard let model = catalog.currentModel(named: name), model.inputType == application.inputType else {
                return nil
            }
            return Selector.LinkedModel(
                name: name, label: "\(name):\(model.id.version)", handle: dispatcher.handles.handle(for: model.id),
                caches: model.cachesPredictions && dispatcher.cache.isOn, isShadow: settings.shadows.contains(name))
        }
        selector.setApplication(
            handle, application.name, defaultOutput: application.defaultOutput, settings, policy: policy,
            policyName: policies.knownName(for: settings.policy.name) ?? settings.policy.name, models: models)
    }

    private func report(now: MonotonicTime) -> DispatchReport {
        var report = DispatchReport(now: now)
        report.metrics = metrics
        report.catalog = catalog
        report.replicas = sessions.listings
        report.completed = completed
        // The scheduler does not know those of models that nobody has registered.
        for replica in report.replicas { report.loads[replica.id] = scheduler.load(of: replica.id) }
        for id in catalog.models.keys {
            let handle = dispatcher.handles.handle(for: id)
            report.queued[id] = scheduler.queuedCount(of: handle)
            report.queuedBytes[id] = scheduler.queuedBytes(of: handle)
            report.counters[id] = scheduler.counters(of: handle)
        }
        report.cache = dispatcher.cache.statistics
        report.selections = catalog.applications.keys.sorted().compactMap {
            selector.report(on: dispatcher.handles.handle(forApplication: $0))
        }
        return report
    }
}
