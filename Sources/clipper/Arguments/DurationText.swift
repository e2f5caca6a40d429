/// Durations as they are written on the command line: `100ms`, `1s`, `20000us`, `0.5s`, `10m`, `1h`.
enum DurationText {
    /// The longest latency objective that a frontend takes, in microseconds: one day.
    private static let longest: Int64 = 86_400_000_000

    /// The units, each as a number of microseconds: 10 to the power of `places`, times `factor`.
    private static let units: [String: (places: Int, factor: Int64)] = [
        "us": (0, 1), "µs": (0, 1), "μs": (0, 1), "ms": (3, 1), "s": (6, 1), "m": (6, 60), "h": (6, 3600),
    ]

    /// Reads a duration: a decimal number and its unit, at least a microsecond and at most a day.
    ///
    /// - Parameter allowsZero: Takes zero as well.
    /// - Throws: ``ArgumentTextError``, also for a number without a unit, which could mean any of them.
    static func parse(_ text: String, allowsZero: Bool = false) throws(ArgumentTextError) -> Duration {
        guard !text.isEmpty else {
            throw ArgumentTextError("a duration such as 100ms, 1s or 20000us is expected")
        }
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count)
        guard !unit.isEmpty else {
            throw ArgumentTextError(
                "the unit is missing; write \(number)us, \(number)ms, \(number)s, \(number)m or \(number)h")
        }
        guard !number.isEmpty else {
            throw ArgumentTextError("a positive number and its unit, such as 100ms, are expected")
        }
        guard let (places, factor) = units[String(unit)] else {
            throw ArgumentTextError("'\(unit)' is no unit of time here; the units are us, ms, s, m and h")
        }
        let microseconds = try microseconds(number, places: places, factor: factor)
        guard microseconds > 0 || allowsZero else { throw ArgumentTextError("it must be longer than zero") }
        return .microseconds(microseconds)
    }

    /// Writes a duration so that ``parse(_:)`` reads it, to the microsecond.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        // Nobody writes a duration of 300,000 years; it is shown by its seconds alone.
        guard !overflow else { return "\(seconds)s" }
        let microseconds = whole + attoseconds / 1_000_000_000_000
        return switch microseconds.magnitude {
        case ..<1_000: "\(microseconds)us"
        case ..<1_000_000: decimal(microseconds, places: 3) + "ms"
        default: decimal(microseconds, places: 6) + "s"
        }
    }

    /// `number` × 10^`places` × `factor`, exact.
    private static func microseconds(
        _ number: Substring, places: Int, factor: Int64
    ) throws(ArgumentTextError) -> Int64 {
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw ArgumentTextError("'\(number)' is no decimal number")
        }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.dropFirst(places).allSatisfy({ $0 == "0" }) else {
            throw ArgumentTextError("it is finer than one microsecond (us)")
        }
        let kept = fraction.prefix(places)
        let digits = parts[0] + kept + String(repeating: "0", count: places - kept.count)
        // What does not fit an integer is longer than a day too.
        guard let whole = Int64(digits), whole <= longest / factor else {
            throw ArgumentTextError("at most one day (24h) is allowed")
        }
        return whole * factor
    }

    /// `value` ÷ 10^`places` without zeros at the end.
    private static func decimal(_ value: Int64, places: Int) -> String {
        let digits = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        var fraction = padded.suffix(places)
        while fraction.last == "0" { fraction.removeLast() }
        let sign = value < 0 ? "-" : ""
        return sign + padded.dropLast(places) + (fraction.isEmpty ? "" : "." + fraction)
    }
}
