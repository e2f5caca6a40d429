import ContainerRPC

extension DispatchReport {
    /// The replicas as the administration API lists them.
    var replicaStatuses: [ReplicaStatus] {
        replicas.map { replica in
            let completed = completed[replica.id] ?? ReplicaCounts()
            let load = loads[replica.id]
            // A container may spell its model's name otherwise, of which the one and the other are canonically equivalent.
            let model = catalog.models[replica.model]?.id ?? replica.model
            return ReplicaStatus(
                modelName: model.name, modelVersion: model.version, replica: replica.number,
                inputType: replica.inputType.name, rpcVersion: Int(replica.rpcVersion.rawValue),
                metadata: Dictionary(replica.details.metadata.map { ($0.key, $0.value) }) { _, later in later },
                batchesInFlight: replica.batchesInFlight,
                queriesInFlight: load?.queriesInFlight ?? 0, completedBatches: completed.batches,
                completedQueries: completed.queries, failedBatches: completed.failedBatches,
                secondsSinceLastMessage: (now - replica.lastReceived).inSeconds,
                state: (load?.state ?? .unsuitable).rawValue, batchLimit: load?.batchLimit,
                latencyInterceptMilliseconds: load?.intercept.map { $0.inSeconds * 1000 },
                latencySlopeMilliseconds: load?.slope.map { $0.inSeconds * 1000 })
        }
    }

    /// The whole frontend as the administration API shows it.
    var status: FrontendStatus {
        FrontendStatus(
            uptimeSeconds: (now - metrics.started).inSeconds, applications: applicationStatuses,
            models: modelStatuses, replicas: replicaStatuses)
    }

    private var applicationStatuses: [ApplicationStatus] {
        let metrics = Dictionary(metrics.applications.values.map { ($0.name, $0) }) { first, _ in first }
        return catalog.applications.values.sorted { $0.name < $1.name }.map { application in
            var status = ApplicationStatus(
                name: application.name, inputType: application.inputType.name,
                linkedModels: application.linkedModels, sloMilliseconds: application.latencySLO.inSeconds * 1000,
                defaultOutput: application.defaultOutput, selection: application.selection)
            if var values = metrics[application.name] {
                status.queries = values.queries
                status.defaults = values.defaultCount
                status.queriesPerSecond = values.throughput.recentRate(now: now)
                let latency = values.latency.recent(now: now)
                status.latencyP50Milliseconds = Double(latency.percentile(50)) / 1000
                status.latencyP99Milliseconds = Double(latency.percentile(99)) / 1000
            }
            return status
        }
    }

    private var modelStatuses: [ModelStatus] {
        let metrics = Dictionary(metrics.models.values.map { ($0.id, $0) }) { first, _ in first }
        let models = catalog.models.values.sorted { ($0.id.name, $0.registration) < ($1.id.name, $1.registration) }
        return models.map { model in
            var status = ModelStatus(
                name: model.id.name, version: model.id.version, isCurrent: catalog.isCurrent(model.id),
                replicas: replicas.count { $0.model == model.id }, queued: queued[model.id] ?? 0,
                inputType: model.inputType.name)
            if let counters = counters[model.id] {
                status.drops = counters.queueFull + counters.predictedLate
                status.hedges = counters.hedges
                status.retries = counters.retries
            }
            if var values = metrics[model.id] {
                status.cacheLookups = values.cacheLookups
                status.cacheHits = values.cacheHits
                status.queriesPerSecond = values.throughput.recentRate(now: now)
                status.meanBatchSize = values.batchSizes.mean
                status.largestBatch = Int(clamping: values.batchSizes.largest)
                let latency = values.latency.recent(now: now)
                status.latencyP50Milliseconds = Double(latency.percentile(50)) / 1000
                status.latencyP99Milliseconds = Double(latency.percentile(99)) / 1000
            }
            return status
        }
    }
}

extension Dispatcher: FrontendObserver {
    func replicas() async -> [ReplicaStatus] {
        var report = await report()
        // As Clipper, whose clients ask for them, drops those of a version that is deleted.
        report.replicas.removeAll(where: \.isDismissed)
        return report.replicaStatuses
    }

    func status() async -> FrontendStatus {
        await report().status
    }

    func drain(_ model: ModelVersion, replica: Int?, _ draining: Draining) async -> [ReplicaStatus]? {
        await drainReplicas(of: model, replica: replica, draining)?.replicaStatuses.filter {
            $0.modelName == model.name && $0.modelVersion == model.version
                && (replica == nil || $0.replica == replica)
        }
    }

    func selectionState(application: String, user: String?) async -> SelectionStateDescription? {
        await selection(of: application, user: user).map(SelectionStateDescription.init)
    }

    func resetSelectionState(application: String, user: String?) async throws {
        if let problem = await resetSelection(of: application, user: user) { throw CatalogStoreError(.other, problem) }
    }
}
