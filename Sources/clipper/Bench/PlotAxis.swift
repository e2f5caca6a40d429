import Foundation

/// One axis of a plot: what lies between its ends, and where its ticks are.
struct PlotAxis: Equatable, Sendable {
    /// How values become places.
    enum Scale: Equatable, Sendable { case linear, logarithmic }

    /// A labelled place.
    struct Tick: Equatable, Sendable {
        var value: Double
        var label: String
    }

    var title: String
    var scale: Scale
    var range: ClosedRange<Double>
    var ticks: [Tick]

    /// No measurement has a magnitude beyond these: what has is left out of account, lest calculations overflow.
    private static let magnitudes = 1e-100...1e100

    /// An axis on which all of these values lie, between round numbers.
    ///
    /// - Parameters:
    ///   - scale: logarithmic only serves values above zero; others are left out of account.
    ///   - startsAtZero: a linear axis begins at zero at the latest.
    ///   - limit: where the axis ends at the latest, such as 100 %.
    static func fitting(
        _ values: [Double], title: String, scale: Scale = .linear, startsAtZero: Bool = true, limit: Double? = nil,
        label: (Double) -> String = number
    ) -> PlotAxis {
        let shown = values.filter { value in
            magnitudes.contains(abs(value)) && (scale == .linear || value > 0) || scale == .linear && value == 0
        }
        let (low, high) = (shown.min() ?? (scale == .linear ? 0 : 1), shown.max() ?? 1)
        let places =
            switch scale {
            case .linear: linearTicks(from: startsAtZero ? min(0, low) : low, to: high, limit: limit)
            case .logarithmic: logarithmicTicks(from: low, to: high)
            }
        return PlotAxis(
            title: title, scale: scale, range: (places.first ?? 0)...(places.last ?? 1),
            ticks: places.map { Tick(value: $0, label: label($0)) })
    }

    /// Places at distances of 1, 2, 2.5 or 5 times a power of ten, about six of them, the first and last beyond the ends.
    static func linearTicks(from low: Double, to high: Double, limit: Double? = nil) -> [Double] {
        let span = high > low ? high - low : max(abs(high), 1)
        let power = Double.exp10((log10(span / 5)).rounded(.down))
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { span / $0 <= 6 } ?? 10 * power
        let first = (low / step + 1e-9).rounded(.down)
        let last = max(first + 1, (max(high, low + span * 1e-9) / step - 1e-9).rounded(.up))
        return (0...Int(last - first)).map { (first + Double($0)) * step }.filter { $0 <= limit ?? .infinity }
    }

    /// Powers of ten; with few of them, twice and five times them too.
    static func logarithmicTicks(from low: Double, to high: Double) -> [Double] {
        let lowest = log10(low).rounded(.down)
        let highest = max(lowest + 1, log10(high).rounded(.up))
        let powers = (0...Int(highest - lowest)).map { Double.exp10(lowest + Double($0)) }
        let factors: [Double] = powers.count > 5 ? [1] : [1, 2, 5]
        let all = powers.flatMap { power in factors.map { $0 * power } }
        let first = all.lastIndex { $0 <= low * (1 + 1e-9) } ?? 0
        let last = all.firstIndex { $0 >= high * (1 - 1e-9) } ?? all.count - 1
        return Array(all[first...max(last, min(first + 1, all.count - 1))])
    }

    /// Where a value lies: 0 at the axis's start, 1 at its end; values beyond are at its ends.
    func place(of value: Double) -> Double {
        func scaled(_ value: Double) -> Double {
            scale == .linear ? value : log10(max(value, .leastNormalMagnitude))
        }
        let (low, high) = (scaled(range.lowerBound), scaled(range.upperBound))
        guard high > low, value.isFinite else { return 0 }
        return min(max((scaled(value) - low) / (high - low), 0), 1)
    }

    /// A number as few characters as tell it: thousands with commas, no zeros at the end.
    static func number(_ value: Double) -> String {
        if abs(value) >= 1000, value == value.rounded() {
            return Int(exactly: value).map(grouped) ?? String(format: "%g", value)
        }
        var text = String(format: "%.4f", value)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text == "-0" ? "0" : text
    }

    private static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
