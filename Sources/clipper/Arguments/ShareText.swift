import Foundation

/// Shares of a whole as they are written on the command line: `95%` or `0.95`.
enum ShareText {
    /// Reads a share of more than 0 and at most 1.
    ///
    /// - Parameter allowsZero: Takes 0 as well.
    /// - Throws: ``ArgumentTextError``.
    static func parse(_ text: String, allowsZero: Bool = false) throws(ArgumentTextError) -> Double {
        let isPercentage = text.hasSuffix("%")
        let digits = isPercentage ? text.dropLast() : text[...]
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }),
            // The exponent divides in decimal: 99.9 / 100 would not be 0.999.
            let share = Double(isPercentage ? digits + "e-2" : digits)
        else {
            throw ArgumentTextError("a share such as 95% or 0.95 is expected")
        }
        guard share <= 1 else {
            throw ArgumentTextError(
                isPercentage ? "at most 100% is allowed" : "at most 1 is allowed; write \(digits)% for a percentage")
        }
        guard share > 0 || allowsZero else { throw ArgumentTextError("it must be more than zero") }
        return share
    }

    /// Writes a share as a percentage.
    static func format(_ share: Double) -> String {
        guard share.isFinite else { return "-" }
        let percentage = (share * 1e11).rounded() / 1e9
        let text = "\(percentage)"
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + "%"
    }
}
