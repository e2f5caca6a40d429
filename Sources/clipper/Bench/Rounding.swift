import Foundation

extension Double {
    /// 10 to this power.
    static func exp10(_ power: Double) -> Double { pow(10, power) }

    /// The nearest number with this many decimal places.
    func rounded(places: Int) -> Double {
        let scale = Self.exp10(Double(places))
        return (self * scale).rounded() / scale
    }
}
