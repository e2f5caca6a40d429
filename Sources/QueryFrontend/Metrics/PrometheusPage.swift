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

        /// What the label `le` says, for each bucket.
        fileprivate var labels: [String] { bounds.map { PrometheusPage.number(Double($0) / divisor) } + ["+Inf"] }
    }

    /// The page in UTF-8: a thousand models have a hundred thousand lines, in which Swift's strings would count characters.
    private(set) var bytes: [UInt8] = []

    /// Adds a metric, one line for each sample.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        begin(name, kind.rawValue, help)
        for sample in samples { line(name, Self.list(sample.labels), sample.value) }
    }

    /// Adds a metric without labels.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, [([], value)])
    }

    /// Adds a histogram, its buckets cumulative.
    mutating func add(histogram name: String, _ help: String, _ series: [(Labels, Distribution)], _ scale: Scale) {
        begin(name, "histogram", help)
        let bounds = scale.labels
        let (bucket, sum, count) = ("\(name)_bucket", "\(name)_sum", "\(name)_count")
        for (labels, values) in series {
            let list = Self.list(labels)
            let before = list.isEmpty ? Array("le=\"".utf8) : list + Array(",le=\"".utf8)
            for (bound, count) in zip(bounds, values.cumulativeCounts(upTo: scale.bounds) + [values.count]) {
                line(bucket, before + Array(bound.utf8) + [UInt8(ascii: "\"")], Double(count))
            }
            line(sum, list, Double(values.sum) / scale.divisor)
            line(count, list, Double(values.count))
        }
    }

    private mutating func begin(_ name: String, _ type: String, _ help: String) {
        bytes.append(contentsOf: "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n".utf8)
    }

    /// - Parameter labels: as they stand between the braces.
    private mutating func line(_ name: String, _ labels: [UInt8], _ value: Double) {
        bytes.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes.append(contentsOf: labels)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: Self.number(value).utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : value.description
    }

    /// Labels as they stand between the braces. What is escaped is a byte each: as a character of Swift's, a quotation mark
    /// with a combining one behind it would be another.
    private static func list(_ labels: Labels) -> [UInt8] {
        var list: [UInt8] = []
        for (name, value) in labels {
            if !list.isEmpty { list.append(UInt8(ascii: ",")) }
            list.append(contentsOf: name.utf8)
            list.append(contentsOf: "=\"".utf8)
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): list.append(contentsOf: "\\\\".utf8)
                case UInt8(ascii: "\""): list.append(contentsOf: "\\\"".utf8)
                case UInt8(ascii: "\n"): list.append(contentsOf: "\\n".utf8)
                default: list.append(byte)
                }
            }
            list.append(UInt8(ascii: "\""))
        }
        return list
    }
}
