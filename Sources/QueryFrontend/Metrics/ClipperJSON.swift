import ContainerRPC
import Foundation

extension DispatchReport {
    /// The metrics as Clipper's tree: four lists of objects with one key each, and every value a string, as
    /// `inspect_instance()` of its client reads it.
    func clipperJSON() -> String {
        var tree = ClipperTree()
        var metrics = metrics
        let models = metrics.models.values.sorted { $0.id.description < $1.id.description }
        let totals = metrics.totals
        tree.counter("internal:aggregate_num_predictions", totals.queries)
        tree.counter("internal:prediction_cache_lookups", totals.cacheLookups)
        tree.ratio("internal:prediction_cache_hit_ratio", totals.cacheHits, of: totals.cacheLookups)
        tree.meter("internal:aggregate_model_throughput", &metrics.aggregateThroughput, now: now)
        tree.histogram("internal:rpc_request_queueing_delay", metrics.queueingDelay, unit: "microseconds")
        for application in metrics.applications.values.sorted(by: { $0.name < $1.name }) {
            let name = "app:\(application.name)"
            tree.counter("\(name):num_predictions", application.queries)
            tree.ratio("\(name):default_prediction_ratio", application.defaultCount, of: application.queries)
            var throughput = application.throughput
            tree.meter("\(name):prediction_throughput", &throughput, now: now)
            tree.histogram("\(name):prediction_latency", application.latency.total, unit: "microseconds")
        }
        for model in models {
            let name = "model:\(model.id)"
            tree.counter("\(name):num_predictions", model.queries)
            tree.ratio("\(name):cache_hit_ratio", model.cacheHits, of: model.cacheLookups)
            var throughput = model.throughput
            tree.meter("\(name):prediction_throughput", &throughput, now: now)
            tree.histogram("\(name):prediction_latency", model.latency.total, unit: "microseconds")
            tree.histogram("\(name):batch_size", model.batchSizes, unit: "queries")
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

    /// A share of a whole; not a number of nothing.
    mutating func ratio(_ name: String, _ part: Int, of whole: Int) {
        let value = whole == 0 ? Double.nan : Double(part) / Double(whole)
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
