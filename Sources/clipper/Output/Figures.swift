import Foundation

/// Measured numbers as people read them.
enum Figures {
    /// A latency given in milliseconds, to three digits.
    static func latency(milliseconds: Double) -> String {
        guard milliseconds.isFinite, milliseconds >= 0 else { return "-" }
        // The borders are where the rounded number would need a digit more.
        return switch milliseconds {
        case ..<0.9995: fixed(milliseconds * 1000, digits: 0) + "us"
        case ..<9.995: fixed(milliseconds, digits: 2) + "ms"
        case ..<99.95: fixed(milliseconds, digits: 1) + "ms"
        case ..<999.5: fixed(milliseconds, digits: 0) + "ms"
        case ..<99_950: fixed(milliseconds / 1000, digits: 1) + "s"
        default: fixed(milliseconds / 1000, digits: 0) + "s"
        }
    }

    /// Events per second.
    static func rate(_ perSecond: Double) -> String {
        guard perSecond.isFinite, perSecond >= 0 else { return "-" }
        return switch perSecond {
        case 0: "0/s"
        case ..<9.95: fixed(perSecond, digits: 2) + "/s"
        case ..<99.95: fixed(perSecond, digits: 1) + "/s"
        default: fixed(perSecond, digits: 0) + "/s"
        }
    }

    /// A mean of counts.
    static func mean(_ value: Double) -> String {
        value.isFinite ? fixed(value, digits: 1) : "-"
    }

    /// A part of a whole, and its share.
    static func share(_ part: Int, of whole: Int) -> String {
        guard whole > 0, part > 0 else { return "\(part)" }
        return "\(part) (\(percent(Double(part) / Double(whole))))"
    }

    /// A share of a whole, 0 to 1, in percent; what is not quite nothing does not look like nothing.
    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "-" }
        return (share > 0 && share < 0.001 ? "<0.1" : fixed(share * 100, digits: 1)) + "%"
    }

    /// A latency objective given in milliseconds, exact to the microsecond.
    static func slo(milliseconds: Double) -> String {
        Int64(exactly: (milliseconds * 1000).rounded()).map { DurationText.format(.microseconds($0)) } ?? ""
    }

    /// A span of time given in seconds, in its two largest units.
    static func span(seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e15 else { return "-" }
        let whole = Int(seconds)
        let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days)d \(hours)h" }
        if hours > 0 { return "\(hours)h \(minutes)m" }
        if minutes > 0 { return "\(minutes)m \(whole % 60)s" }
        return seconds < 9.95 ? fixed(seconds, digits: 1) + "s" : "\(whole)s"
    }

    private static func fixed(_ value: Double, digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}
