import ContainerRPC

extension DispatchReport {
    /// The replicas as the administration API lists them.
    var replicaStatuses: [ReplicaStatus] {
        replicas.map { replica in
            let completed = completed[replica.id] ?? (batches: 0, queries: 0)
            return ReplicaStatus(
                modelName: replica.model.name, modelVersion: replica.model.version, replica: replica.number,
                inputType: replica.inputType.name, batchesInFlight: replica.batchesInFlight,
                queriesInFlight: inFlight[replica.id] ?? 0, completedBatches: completed.batches,
                completedQueries: completed.queries,
                secondsSinceLastMessage: (now - replica.lastReceived).inSeconds)
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
                defaultOutput: application.defaultOutput)
            if var values = metrics[application.name] {
                status.queries = values.queries
                status.defaults = values.defaultCount
                status.queriesPerSecond = values.throughput.recentRate(now: now)
                status.latencyP50Milliseconds = Double(values.latency.percentile(50)) / 1000
                status.latencyP99Milliseconds = Double(values.latency.percentile(99)) / 1000
            }
            return status
        }
    }

    private var modelStatuses: [ModelStatus] {
        catalog.models.values.sorted { ($0.id.name, $0.registration) < ($1.id.name, $1.registration) }.map { model in
            var status = ModelStatus(
                name: model.id.name, version: model.id.version, isCurrent: catalog.isCurrent(model.id),
                replicas: replicas.count { $0.model == model.id }, queued: queued[model.id] ?? 0)
            if var values = metrics.models[model.id] {
                status.queriesPerSecond = values.throughput.recentRate(now: now)
                status.meanBatchSize = values.batchSizes.mean
                status.largestBatch = Int(clamping: values.batchSizes.largest)
                status.latencyP50Milliseconds = Double(values.latency.percentile(50)) / 1000
                status.latencyP99Milliseconds = Double(values.latency.percentile(99)) / 1000
            }
            return status
        }
    }
}

extension Dispatcher: FrontendObserver {
    func replicas() async -> [ReplicaStatus] {
        await report().replicaStatuses
    }

    func status() async -> FrontendStatus {
        await report().status
    }
}
