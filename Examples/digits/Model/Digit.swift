import Foundation

/// One handwritten digit of the data set.
public struct Digit: Sendable, Equatable {
    /// The digit that was to be written, 0 to 9.
    public let label: Int

    /// What scikit-learn answers with the same weights; right or wrong, this classifier has to answer the same.
    public let referenceAnswer: Int

    /// 64 numbers from 0 (paper) to 16 (ink), row after row.
    public let pixels: [Double]

    /// The digits that the classifier has not seen in training, in the order of their file.
    public static func heldOut() throws -> [Digit] {
        try Digit.list(csv: String(contentsOf: resource("held-out.csv"), encoding: .utf8))
    }

    /// Reads lines of `label,answer,p0,…,p63` below a header line.
    ///
    /// - Throws: ``DigitsModelError`` that names the first wrong line.
    public static func list(csv: String) throws -> [Digit] {
        var digits: [Digit] = []
        for (index, line) in csv.split(whereSeparator: \.isNewline).enumerated().dropFirst() {
            let numbers = line.split(separator: ",", omittingEmptySubsequences: false).map { UInt8($0) }
            guard numbers.count == 2 + DigitsClassifier.pixelCount, !numbers.contains(nil) else {
                throw DigitsModelError("line \(index + 1): 66 whole numbers are due, separated by commas")
            }
            let values = numbers.compactMap { $0 }
            guard values[0] < 10, values[1] < 10, values[2...].allSatisfy({ $0 <= 16 }) else {
                throw DigitsModelError("line \(index + 1): digits are 0 to 9, pixels 0 to 16")
            }
            digits.append(
                Digit(label: Int(values[0]), referenceAnswer: Int(values[1]), pixels: values[2...].map(Double.init)))
        }
        return digits
    }

    /// The image as eight lines of sixteen characters, two for each pixel.
    public var drawing: [String] {
        let shades: [Character] = [" ", "░", "▒", "▓", "█"]
        return stride(from: 0, to: pixels.count, by: 8).map { start in
            String(
                pixels[start..<start + 8].flatMap { pixel in
                    // In bounds: a pixel is 0 to 16, as `list(csv:)` checks.
                    repeatElement(shades[Int((pixel / 4).rounded(.up))], count: 2)
                })
        }
    }
}
