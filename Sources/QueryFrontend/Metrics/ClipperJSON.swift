import ContainerRPC
import Foundation

extension DispatchReport {
    /// The metrics as Clipper's tree: four lists of objects with one key each, and every value a string, as
    /// `inspect_instance()` of its client reads it.
    func clipperJSON() -> String {
        var tree = ClipperTree()
        var metrics = metrics
        let total = metrics.models.values.reduce(0) { $0 + $1.queries }
        tree.counter("internal:aggregate_num_predictions", total)
        tree.counter("internal:prediction_cache_lookups", 0)
        tree.ratio("internal:prediction_cache_hit_ratio", .nan)
        tree.meter("internal:aggregate_model_throughput", &metrics.aggregateThroughput, now: now)
        tree.histogram("internal:rpc_request_queueing_delay", metrics.queueingDelay, unit: "microseconds")
        for (handle, application) in metrics.applications.sorted(by: { $0.value.name < $1.value.name }) {
            let name = "app:\(application.name)"
            tree.counter("\(name):num_predictions", application.queries)
            tree.ratio(
                "\(name):default_prediction_ratio",
                application.queries == 0 ? .nan : Double(application.defaultCount) / Double(application.queries))
            if var throughput = metrics.applications[handle]?.throughput {
                tree.meter("\(name):prediction_throughput", &throughput, now: now)
            }
            tree.histogram("\(name):prediction_latency", application.latency, unit: "microseconds")
        }
        for (model, values) in metrics.models.sorted(by: { $0.key.description < $1.key.description }) {
            let name = "model:\(model)"
            tree.counter("\(name):num_predictions", values.queries)
            tree.ratio("\(name):cache_hit_ratio", .nan)
            var throughput = values.throughput
            tree.meter("\(name):prediction_throughput", &throughput, now: now)
            tree.histogram("\(name):prediction_latency", values.latency, unit: "microseconds")
            tree.histogram("\(name):batch_size", values.batchSizes, unit: "queries")
        }
        return tree.text
    }
}

/// Clipper's metrics document.
private struct ClipperTree: Encodable {
    private var counters: [[String: [String: String]]] = []
    private var ratioCounters: [[String: [String: String]]] = []
    private var meters: [[String: [String: String]]] = []
    private var histograms: [[String: [String: String]]] = []

    enum CodingKeys: String, CodingKey {
        case counters
        case ratioCounters = "ratio_counters"
        case meters
        case histograms
    }

    mutating func counter(_ name: String, _ value: Int) {
        counters.append([name: ["count": "\(value)"]])
    }

    mutating func ratio(_ name: String, _ value: Double) {
        ratioCounters.append([name: ["ratio": "\(value)"]])
    }

    mutating func meter(_ name: String, _ meter: inout Meter, now: MonotonicTime) {
        let moving = meter.movingRates(now: now) ?? [-1, -1, -1]
        meters.append([
            name: [
                "unit": "events per second", "rate": "\(meter.rate(now: now))", "rate_1min": "\(moving[0])",
                "rate_5min": "\(moving[1])", "rate_15min": "\(moving[2])",
            ]
        ])
    }

    mutating func histogram(_ name: String, _ values: Distribution, unit: String) {
        histograms.append([
            name: [
                "unit": unit, "size": "\(values.count)", "min": "\(values.smallest)", "max": "\(values.largest)",
                "mean": "\(values.mean)", "std_dev": "\(values.standardDeviation)",
                "p50": "\(values.percentile(50))", "p95": "\(values.percentile(95))",
                "p99": "\(values.percentile(99))",
            ]
        ])
    }

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings in arrays and dictionaries always have a JSON form.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" } ?? "{}\n"
    }
}
