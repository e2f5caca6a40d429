import QueryFrontend

/// A frontend's status as the tables of `clipper status --watch`.
struct WatchTables {
    /// A replica sends something every few seconds: one that was not heard for so long may be gone.
    private static let longSilence = 10.0

    let status: FrontendStatus
    /// What happened since the last look; `nil` at the first.
    let change: StatusChange?

    /// Those that have rows.
    var all: [Table] { [applications, models, replicas].filter { !$0.cells.isEmpty }.map(\.withTroubleFirst) }

    // MARK: Applications

    var applications: Table {
        Table(
            columns: [
                .left("APPLICATION"), .right("SLO"), .right("RATE"), .right("P50"), .right("P99"), .right("DEFAULTS"),
                .right("QUERIES"),
            ],
            cells: status.applications.sorted { $0.name < $1.name }.map(row))
    }

    private func row(_ application: ApplicationStatus) -> [Table.Cell] {
        let now = change.flatMap { change in
            change.queries(of: application).map { (rate: Double($0.queries) / change.seconds, counts: $0) }
        }
        let counts = now?.counts ?? .init(queries: application.queries, defaults: application.defaults)
        let isLate = application.latencyP99Milliseconds > application.sloMilliseconds
        return [
            Table.Cell(application.name),
            Table.Cell(Figures.slo(milliseconds: application.sloMilliseconds)),
            Table.Cell(Figures.rate(now?.rate ?? application.queriesPerSecond)),
            latency(application.latencyP50Milliseconds, isKnown: application.queries > 0),
            latency(
                application.latencyP99Milliseconds, isKnown: application.queries > 0, isLate ? .warning : nil),
            share(counts.defaults, of: counts.queries),
            Table.Cell("\(application.queries)"),
        ]
    }

    private func share(_ defaults: Int, of queries: Int) -> Table.Cell {
        guard queries > 0 else { return Table.Cell("") }
        let share = Double(defaults) / Double(queries)
        return Table.Cell(
            defaults == 0 ? "0%" : Figures.percent(share), defaults == 0 ? nil : share < 0.01 ? .warning : .alarm)
    }

    // MARK: Models

    var models: Table {
        Table(
            columns: [
                .left("MODEL"), .right("REPLICAS"), .right("QUEUED"), .right("RATE"), .right("BATCH"), .right("P50"),
                .right("P99"), .right("CACHE"), .right("DROPS"), .right("RETRIES"), .right("HEDGES"),
            ],
            cells: status.models.sorted(by: StatusReport.precedes).map(row))
    }

    private func row(_ model: ModelStatus) -> [Table.Cell] {
        let work = change?.work(of: model)
        let rate = change.map { Double(work?.queries ?? 0) / $0.seconds } ?? model.queriesPerSecond
        let hasAnswered = model.largestBatch > 0
        let batch = work.flatMap { $0.batches > 0 ? Double($0.queries) / Double($0.batches) : nil }
        let replicas = Table.Cell("\(model.replicas)", model.replicas == 0 && model.isCurrent ? .alarm : nil)
        return [
            Table.Cell(
                "\(model.name):\(model.version)\(model.isCurrent ? "" : " (not current)")",
                model.isCurrent ? nil : .faint),
            replicas, Table.Cell("\(model.queued)"), Table.Cell(Figures.rate(rate)),
            Table.Cell(hasAnswered ? Figures.mean(batch ?? model.meanBatchSize) : ""),
            latency(model.latencyP50Milliseconds, isKnown: hasAnswered),
            latency(model.latencyP99Milliseconds, isKnown: hasAnswered), Table.Cell(hits(of: model)),
            count(\.drops, of: model, .alarm), count(\.retries, of: model, .warning),
            count(\.hedges, of: model, .warning),
        ]
    }

    private func hits(of model: ModelStatus) -> String {
        var (hits, lookups) = (model.cacheHits, model.cacheLookups)
        if let change, let newLookups = change.rise(of: \.cacheLookups, model), newLookups > 0,
            let newHits = change.rise(of: \.cacheHits, model)
        {
            (hits, lookups) = (newHits, newLookups)
        }
        return lookups > 0 ? Figures.percent(Double(hits) / Double(lookups)) : ""
    }

    /// What was counted, and how much of it since the last look.
    private func count(_ counter: KeyPath<ModelStatus, Int>, of model: ModelStatus, _ style: TextStyle) -> Table.Cell {
        let rise = change?.rise(of: counter, model) ?? 0
        let total = "\(model[keyPath: counter])"
        return rise > 0 ? Table.Cell("\(total) +\(rise)", style) : Table.Cell(total)
    }

    // MARK: Replicas

    var replicas: Table {
        let replicas = status.replicas.sorted {
            ($0.modelName, $0.modelVersion, $0.replica) < ($1.modelName, $1.modelVersion, $1.replica)
        }
        return Table(
            columns: [
                .left("REPLICA"), .left("STATE"), .right("IN FLIGHT"), .right("RATE"), .right("LIMIT"),
                .right("LATENCY OF n"), .right("LAST HEARD"),
            ],
            cells: replicas.map(row))
    }

    private func row(_ replica: ReplicaStatus) -> [Table.Cell] {
        let rate = change.map { Double($0.work(of: replica).queries) / $0.seconds }
        let silence = replica.secondsSinceLastMessage
        return [
            Table.Cell("\(replica.modelName):\(replica.modelVersion):\(replica.replica)"),
            Table.Cell(replica.state, Self.style(ofState: replica.state)),
            Table.Cell("\(replica.queriesInFlight)"), Table.Cell(rate.map(Figures.rate) ?? ""),
            Table.Cell(replica.batchLimit.map { "\($0)" } ?? ""), Table.Cell(Self.learned(replica)),
            Table.Cell(Figures.span(seconds: silence) + " ago", silence < Self.longSilence ? nil : .warning),
        ]
    }

    private static func style(ofState state: String) -> TextStyle? {
        switch state {
        case "active": nil
        case "draining": .warning
        default: .alarm
        }
    }

    /// The learned latency of a batch of n queries.
    private static func learned(_ replica: ReplicaStatus) -> String {
        guard let intercept = replica.latencyInterceptMilliseconds, let slope = replica.latencySlopeMilliseconds else {
            return ""
        }
        return "\(Figures.latency(milliseconds: intercept)) + \(Figures.latency(milliseconds: slope)) × n"
    }

    private func latency(_ milliseconds: Double, isKnown: Bool, _ style: TextStyle? = nil) -> Table.Cell {
        isKnown ? Table.Cell(Figures.latency(milliseconds: milliseconds), style) : Table.Cell("")
    }
}

extension Table {
    /// The same rows, those with an alarm before those with a warning, and these before all others: on a screen the last
    /// rows are the first that have no room.
    fileprivate var withTroubleFirst: Table {
        func rank(_ row: [Cell]) -> Int {
            row.contains { $0.style == .alarm } ? 0 : row.contains { $0.style == .warning } ? 1 : 2
        }
        let ranked = cells.map { (rank: rank($0), row: $0) }
        return Table(columns: columns, cells: (0...2).flatMap { rank in ranked.filter { $0.rank == rank }.map(\.row) })
    }
}
