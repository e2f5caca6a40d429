/// A page in the Prometheus text format, version 0.0.4.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/
struct PrometheusPage {
    typealias Labels = [(name: String, value: String)]
    typealias Sample = (labels: Labels, value: Double)

    /// What a value can do: only rise, or also fall.
    enum Kind: String {
        case counter, gauge
    }

    /// How the values of a histogram are shown.
    struct Scale {
        /// The buckets' upper bounds, in the distribution's unit, rising.
        var bounds: [UInt64]
        /// Units of the distribution in one of Prometheus's.
        var divisor: Double

        /// Microseconds as seconds: from a tenth of a millisecond to five minutes, the closest around usual objectives.
        static let seconds = Scale(
            bounds: [
                100, 250, 500, 1000, 2500, 5000, 7500, 10_000, 15_000, 20_000, 25_000, 35_000, 50_000, 75_000, 100_000,
                150_000, 200_000, 250_000, 350_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
                30_000_000, 60_000_000, 300_000_000,
            ], divisor: 1e6)
        /// Batch sizes, up to the largest that is allowed by default.
        static let sizes = Scale(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096], divisor: 1)
    }

    private(set) var text = ""

    /// Adds a metric, one line for each sample.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        begin(name, kind.rawValue, help)
        for sample in samples { line(name, sample.labels, sample.value) }
    }

    /// Adds a metric without labels.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, [([], value)])
    }

    /// Adds a histogram, its buckets cumulative.
    mutating func add(histogram name: String, _ help: String, _ series: [(Labels, Distribution)], _ scale: Scale) {
        begin(name, "histogram", help)
        for (labels, values) in series {
            for (bound, count) in zip(scale.bounds, values.cumulativeCounts(upTo: scale.bounds)) {
                line("\(name)_bucket", labels + [("le", Self.number(Double(bound) / scale.divisor))], Double(count))
            }
            line("\(name)_bucket", labels + [("le", "+Inf")], Double(values.count))
            line("\(name)_sum", labels, Double(values.sum) / scale.divisor)
            line("\(name)_count", labels, Double(values.count))
        }
    }

    private mutating func begin(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: Double) {
        let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : value.description
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
