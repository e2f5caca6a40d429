import Foundation
import QueryFrontend

/// A frontend's status as tables, and what it suggests to do.
enum StatusReport {
    /// The report, line by line.
    static func lines(_ status: FrontendStatus, address: String) -> [String] {
        var sections = [["frontend \(address), up \(Figures.span(seconds: status.uptimeSeconds))"]]
        let tables = [applications(status), models(status), replicas(status)]
        sections += tables.filter { !$0.rows.isEmpty }.map(\.lines)
        sections += [StatusAdvice.lines(for: status)].filter { !$0.isEmpty }
        return Array(sections.joined(separator: [""]))
    }

    static func applications(_ status: FrontendStatus) -> Table {
        let applications = status.applications.sorted { $0.name < $1.name }
        let rows = applications.map { application in
            let isAsked = application.queries > 0
            return [
                application.name, application.inputType, Figures.slo(milliseconds: application.sloMilliseconds),
                Printable.line(application.defaultOutput, upTo: 24), application.linkedModels.joined(separator: ", "),
                "\(application.queries)", Figures.share(application.defaults, of: application.queries),
                Figures.rate(application.queriesPerSecond),
                isAsked ? Figures.latency(milliseconds: application.latencyP50Milliseconds) : "",
                isAsked ? Figures.latency(milliseconds: application.latencyP99Milliseconds) : "",
            ]
        }
        return Table(
            columns: [
                .left("APPLICATION"), .left("INPUT"), .right("SLO"), .left("DEFAULT"), .left("MODELS"),
                .right("QUERIES"), .right("DEFAULTS"), .right("RATE"), .right("P50"), .right("P99"),
            ], rows: rows
        ).with(
            applications.map { application in
                SelectionColumns.settings(
                    policy: application.policy, loss: application.loss?.rawValue,
                    minConfidence: application.minConfidence, shadows: application.shadows)
            })
    }

    static func models(_ status: FrontendStatus) -> Table {
        let rows = status.models.sorted(by: precedes).map { model in
            let hasAnswered = model.largestBatch > 0
            return [
                model.name, model.version, model.isCurrent ? "yes" : "no", "\(model.replicas)", "\(model.queued)",
                Figures.rate(model.queriesPerSecond), hasAnswered ? Figures.mean(model.meanBatchSize) : "",
                hasAnswered ? "\(model.largestBatch)" : "",
                hasAnswered ? Figures.latency(milliseconds: model.latencyP50Milliseconds) : "",
                hasAnswered ? Figures.latency(milliseconds: model.latencyP99Milliseconds) : "",
            ]
        }
        return Table(
            columns: [
                .left("MODEL"), .left("VERSION"), .left("CURRENT"), .right("REPLICAS"), .right("QUEUED"),
                .right("RATE"), .right("MEAN BATCH"), .right("LARGEST"), .right("P50"), .right("P99"),
            ], rows: rows)
    }

    /// By name, then by version, 9 before 10.
    static func precedes(_ first: ModelStatus, _ second: ModelStatus) -> Bool {
        guard first.name == second.name else { return first.name < second.name }
        return first.version.compare(second.version, options: .numeric) == .orderedAscending
    }

    static func replicas(_ status: FrontendStatus) -> Table {
        let replicas = status.replicas.sorted {
            ($0.modelName, $0.modelVersion, $0.replica) < ($1.modelName, $1.modelVersion, $1.replica)
        }
        let rows = replicas.map { replica in
            [
                "\(replica.modelName):\(replica.modelVersion):\(replica.replica)", replica.inputType,
                replica.rpcVersion.map { "\($0)" } ?? "", replica.state,
                "\(replica.queriesInFlight)", "\(replica.completedBatches)", "\(replica.completedQueries)",
                replica.failedBatches.map { "\($0)" } ?? "",
                Figures.span(seconds: replica.secondsSinceLastMessage) + " ago",
            ]
        }
        return Table(
            columns: [
                .left("REPLICA"), .left("INPUT"), .left("RPC"), .left("STATE"), .right("IN FLIGHT"), .right("BATCHES"),
                .right("QUERIES"), .right("FAILED"), .right("LAST HEARD"),
            ], rows: rows)
    }
}
