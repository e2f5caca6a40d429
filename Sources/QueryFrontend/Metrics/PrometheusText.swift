import ContainerRPC

extension DispatchReport {
    /// The media type of that text.
    static let prometheusType = "text/plain; version=0.0.4; charset=utf-8"

    /// The metrics in the Prometheus text format, version 0.0.4, in UTF-8, in an order that does not change.
    func prometheusPage() -> [UInt8] {
        var page = PrometheusPage()
        page.add(
            "clipper_build_info", .gauge, "1, for the version of the frontend.",
            [([("version", Software.version)], 1)])
        page.add(
            "clipper_uptime_seconds", .gauge, "Seconds since the frontend started.",
            (now - metrics.started).inSeconds)
        addApplications(to: &page)
        let errors = Dictionary(uniqueKeysWithValues: metrics.httpErrors.map { ("\($0)", $1) })
        page.add(
            "clipper_http_errors_total", .counter,
            "Requests and connections that the query port has answered with an error, by HTTP status.",
            Self.counts(errors, known: Self.errorStatuses.map { "\($0)" }, label: "status"))
        page.add(
            "clipper_http_connections", .gauge, "Connections to the query port.", Double(http.connections))
        page.add(
            "clipper_http_held_bytes", .gauge,
            "Bytes of the bodies of requests under way and of long answers, as --max-bodies counts them.",
            Double(http.heldBytes))
        addSelections(to: &page)
        addModels(to: &page)
        addReplicas(to: &page)
        addCache(to: &page)
        page.add(
            "clipper_replicas_lost_total", .counter, "Replicas that are gone.",
            Self.counts(metrics.replicasLost, known: Self.lossReasons, label: "reason"))
        page.add(
            "clipper_refused_registrations_total", .counter,
            "Registrations of containers that were not taken; a container that is refused tries again.",
            Self.counts(metrics.refusedRegistrations, known: Self.refusalReasons, label: "reason"))
        page.add(
            "clipper_rpc_connections", .gauge, "Connections to the RPC port, containers and others.",
            Double(rpcConnections))
        page.add(
            "clipper_rpc_connections_cut_total", .counter,
            "Connections to the RPC port that were closed because they were more than --max-containers allows.",
            Double(metrics.cutConnections))
        page.add(
            "clipper_bad_messages_total", .counter, "Messages from containers that were of no use.",
            Self.counts(metrics.badMessages, known: Self.badMessageKinds, label: "kind"))
        if let process { Self.add(process, to: &page) }
        return page.bytes
    }

    /// What Prometheus's own clients tell of a process, under the names that they have agreed on.
    private static func add(_ process: ProcessFigures, to page: inout PrometheusPage) {
        page.add(
            "process_cpu_seconds_total", .counter, "Processor time of the process, user and system, in seconds.",
            process.processorTime.inSeconds)
        page.add(
            "process_resident_memory_bytes", .gauge, "Resident memory of the process, in bytes.",
            Double(process.residentBytes))
        page.add("process_open_fds", .gauge, "Descriptors that are open.", Double(process.openDescriptors))
        page.add("process_max_fds", .gauge, "Descriptors that may be open.", Double(process.mostDescriptors))
    }

    /// What the query port answers most of those who ask wrongly, or too much.
    static let errorStatuses = [400, 404, 405, 408, 413, 415, 417, 431, 503]
    /// The labels of `FrontendSession.EndReason`, but for `refused`: whoever is refused is no replica by then.
    static let lossReasons = [
        "disconnected", "dismissed", "drained", "left", "malformed", "replaced", "silent", "unanswered",
        "wrong-output-count",
    ]
    /// The labels of the refusals that this frontend sends.
    static let refusalReasons = [RefusalCode.inputTypeMismatch, .invalid, .unknownField].map(\.label)
    /// The labels of `ContainerSessions.BadMessage`.
    static let badMessageKinds = WireError.Kind.allCases.map(\.rawValue) + ["unknown-id", "wrong-output-count"]

    /// Counters by one label. The known ones are there from the start: what appears with its first event has no rate at it.
    private static func counts(
        _ counts: [String: Int], known: [String], label: String
    ) -> [PrometheusPage.Sample] {
        Set(counts.keys).union(known).sorted().map { ([(label, $0)], Double(counts[$0] ?? 0)) }
    }

    // MARK: Applications

    private func addApplications(to page: inout PrometheusPage) {
        let applications = metrics.applications.values.sorted { $0.name < $1.name }
        page.add(
            "clipper_slo_seconds", .gauge, "The latency objective of an application.",
            catalog.applications.values.sorted { $0.name < $1.name }.map {
                ([("application", $0.name)], $0.latencySLO.inSeconds)
            })
        page.add(
            "clipper_queries_total", .counter,
            "Queries with an outcome, an output or the default output; those of refused requests too, but for bodies.",
            applications.map { ([("application", $0.name)], Double($0.queries)) })
        page.add(
            "clipper_default_outputs_total", .counter,
            "Queries that got no model's output, by reason; those of refused requests too.",
            applications.flatMap { application in
                DefaultReason.allCases.map { reason in
                    (
                        [("application", application.name), ("reason", reason.rawValue)],
                        Double(application.defaults[reason])
                    )
                }
            })
        page.add(
            "clipper_rejected_total", .counter,
            "Requests refused with status 503: all of their queries were too many, or their bodies took too much memory.",
            applications.map { ([("application", $0.name)], Double($0.rejected)) })
        page.add(
            histogram: "clipper_query_latency_seconds", "From a query's arrival to its outcome.",
            applications.map { ([("application", $0.name)], $0.latency.total) }, .seconds)
    }

    // MARK: Selections

    private func addSelections(to page: inout PrometheusPage) {
        guard !selections.isEmpty else { return }
        func models(
            where isIncluded: (SelectionReport.Model) -> Bool, _ value: (SelectionReport.Model) -> Double
        ) -> [PrometheusPage.Sample] {
            selections.flatMap { selection in
                selection.models.filter(isIncluded).map { model in
                    ([("application", selection.application), ("model", model.name)], value(model))
                }
            }
        }
        func counter(_ name: String, _ help: String, shadows: Bool? = false, _ value: (SelectionCounters) -> Double) {
            page.add(
                "clipper_\(name)", .counter, help,
                models(where: { shadows == nil || $0.isShadow == shadows }, { value($0.counters) }))
        }
        counter("selection_chosen_total", "Queries that the model was chosen to answer.") { Double($0.chosen) }
        counter("selection_combined_total", "Answers of the model that were combined into an output.") {
            Double($0.combined)
        }
        counter("selection_straggled_total", "Queries answered without the model, which was not in time.") {
            Double($0.straggled)
        }
        counter("selection_shadow_agreed_total", "Answers of a shadow that agreed with the output.", shadows: true) {
            Double($0.shadowAgreed)
        }
        counter("selection_shadow_disagreed_total", "Answers of a shadow that did not.", shadows: true) {
            Double($0.shadowDisagreed)
        }
        counter("selection_loss_total", "What the model's answers have cost, as feedback has told.", shadows: nil) {
            $0.lossSum
        }
        counter("selection_judged_total", "Answers of the model that feedback has judged.", shadows: nil) {
            Double($0.lossCount)
        }
        page.add(
            "clipper_selection_weight", .gauge, "The model's share of the weight in the application's state.",
            selections.flatMap { selection in
                zip(selection.models, selection.weights()).compactMap { model, weight in
                    weight.map { ([("application", selection.application), ("model", model.name)], $0) }
                }
            })
        page.add(
            "clipper_feedback_total", .counter, "Feedback, by what became of it.",
            selections.flatMap { selection in
                [
                    ("counted", selection.feedback.counted), ("duplicate", selection.feedback.duplicate),
                    ("unknown_query", selection.feedback.unknownQuery), ("failed", selection.feedback.failed),
                ].map { ([("application", selection.application), ("result", $0.0)], Double($0.1)) }
            })
    }

    // MARK: Models

    private func addModels(to page: inout PrometheusPage) {
        let models = metrics.models.values.sorted { $0.id.sortKey < $1.id.sortKey }
        func counter(_ name: String, _ help: String, _ value: (ModelMetrics) -> Int) {
            page.add(name, .counter, help, models.map { (Self.labels($0.id), Double(value($0))) })
        }
        func scheduled(_ name: String, _ help: String, _ value: KeyPath<SchedulingCounters, Int>) {
            counter(name, help) { counters[$0.id]?[keyPath: value] ?? 0 }
        }
        counter("clipper_model_queries_total", "Queries that replicas answered.") { $0.queries }
        counter("clipper_failed_batches_total", "Batches that a replica failed for, wholly or for some inputs.") {
            $0.failedBatches
        }
        scheduled(
            "clipper_retries_total",
            "Queries sent again because their replica was lost or stuck, or had not computed them.",
            \.retries)
        scheduled("clipper_hedges_total", "Queries sent to a second replica because the first was slow.", \.hedges)
        scheduled("clipper_hedges_won_total", "Hedged queries that the second replica answered first.", \.hedgesWon)
        scheduled("clipper_replicas_stuck_total", "How often a replica was found stuck.", \.stuck)
        scheduled(
            "clipper_missing_batches_total", "Batches that replicas did not answer, while they answered later ones.",
            \.missing)
        page.add(
            "clipper_drops_total", .counter, "Queries turned away or given up because there were too many.",
            models.flatMap { model in
                let counted = counters[model.id]
                return [(DefaultReason.queueFull, counted?.queueFull), (.predictedLate, counted?.predictedLate)].map {
                    (Self.labels(model.id) + [("reason", $0.0.rawValue)], Double($0.1 ?? 0))
                }
            })
        page.add(
            histogram: "clipper_batch_latency_seconds", "From a batch's sending to its answer.",
            models.map { (Self.labels($0.id), $0.latency.total) }, .seconds)
        page.add(
            histogram: "clipper_batch_size", "Queries in a batch.",
            models.map { (Self.labels($0.id), $0.batchSizes) }, .sizes)
        page.add(
            histogram: "clipper_queue_seconds", "From a query's arrival to its sending.",
            models.map { (Self.labels($0.id), $0.queueTime) }, .seconds)
        page.add(
            "clipper_queue_depth", .gauge, "Queries that wait for a replica.",
            models.map { (Self.labels($0.id), Double(queued[$0.id] ?? 0)) })
        page.add(
            "clipper_queue_bytes", .gauge, "Bytes of the inputs that wait for a replica.",
            models.map { (Self.labels($0.id), Double(queuedBytes[$0.id] ?? 0)) })
        counter("clipper_cache_lookups_total", "Queries looked up in the prediction cache.") { $0.cacheLookups }
        counter("clipper_cache_hits_total", "Queries whose output was in the prediction cache.") { $0.cacheHits }
        scheduled(
            "clipper_cache_shared_total", "Queries that joined the running computation of an equal one.", \.shared)
    }

    private static func labels(_ model: ModelVersion) -> PrometheusPage.Labels {
        [("model", model.name), ("version", model.version)]
    }

    // MARK: Replicas

    private func addReplicas(to page: inout PrometheusPage) {
        var states: [ModelVersion: [ReplicaLoad.State: Int]] = catalog.models.mapValues { _ in [:] }
        var unregistered = 0
        for replica in replicas {
            // A name that a container says and nobody else makes no series (RPC 3, 13): it could say ever new ones.
            guard states[replica.model] != nil else {
                unregistered += 1
                continue
            }
            states[replica.model, default: [:]][loads[replica.id]?.state ?? .unsuitable, default: 0] += 1
        }
        page.add(
            "clipper_unregistered_replicas", .gauge, "Connected containers of models that nobody has registered.",
            [([], Double(unregistered))])
        page.add(
            "clipper_replicas", .gauge, "Connected containers of registered models.",
            states.sorted { $0.key.sortKey < $1.key.sortKey }.flatMap { model, counts in
                ReplicaLoad.State.allCases.map {
                    (Self.labels(model) + [("state", $0.rawValue)], Double(counts[$0] ?? 0))
                }
            })
        page.add(
            "clipper_model_current", .gauge, "1 for the version of a model that queries go to, 0 for the others.",
            catalog.models.keys.sorted { $0.sortKey < $1.sortKey }.map {
                (Self.labels($0), catalog.isCurrent($0) ? 1 : 0)
            })
        func gauge(_ name: String, _ help: String, _ value: (ReplicaLoad) -> Double?) {
            let samples = replicas.compactMap { replica -> PrometheusPage.Sample? in
                guard let value = loads[replica.id].flatMap(value) else { return nil }
                return (Self.labels(replica.model) + [("replica", "\(replica.number)")], value)
            }
            page.add(name, .gauge, help, samples)
        }
        gauge(
            "clipper_replica_batch_latency_intercept_seconds",
            "The a of a replica's batch latency, learned as a + b * n for n queries."
        ) { $0.intercept?.inSeconds }
        gauge(
            "clipper_replica_batch_latency_slope_seconds",
            "The b of a replica's batch latency, learned as a + b * n for n queries."
        ) { $0.slope?.inSeconds }
        gauge("clipper_replica_batch_limit", "Queries that a replica's batch may hold now.") {
            Double($0.batchLimit)
        }
    }

    // MARK: The cache

    private func addCache(to page: inout PrometheusPage) {
        func number(_ value: KeyPath<CacheStatistics, Int>) -> Double { Double(cache?[keyPath: value] ?? 0) }
        page.add(
            "clipper_cache_capacity_bytes", .gauge,
            "The most bytes that the prediction cache keeps; 0 where it is off.", number(\.capacityBytes))
        page.add("clipper_cache_bytes", .gauge, "Bytes that the prediction cache keeps.", number(\.byteCount))
        page.add("clipper_cache_entries", .gauge, "Outputs that the prediction cache keeps.", number(\.entries))
        page.add(
            "clipper_cache_evictions_total", .counter, "Outputs that made room for others in the prediction cache.",
            number(\.evictions))
    }
}

extension ModelVersion {
    /// What orders model versions: no name or version holds a colon.
    fileprivate var sortKey: String { description }
}
