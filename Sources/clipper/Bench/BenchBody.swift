import ContainerRPC

/// The body of a request of the load, and where the number goes that makes it differ from all others.
struct BenchBody: Equatable, Sendable {
    /// The JSON.
    private(set) var bytes: [UInt8] = []
    /// Where the digits of a request's number go; none for a body that stays as it is.
    private(set) var slots: [RequestTemplate.Slot] = []

    private init() {}

    /// An input as it is, or with a number in it that can be varied.
    ///
    /// Of an array the last two numbers are replaced, of a string the first twelve characters (shorter ones get a
    /// number before them): inputs keep their lengths, texts stay base64 where they were, and single precision holds
    /// each of the numbers exactly. 81 × 10^12 arrays can be told apart, 6.7 million of those with one number.
    /// - Throws: ``CommandFailure`` for an input that cannot be varied.
    init(input: RawJSON, isVaried: Bool, deadline: Duration? = nil) throws {
        start(deadline)
        if !isVaried {
            append(input.text)
        } else if let elements = input.elements {
            try appendVaried(elements)
        } else {
            appendVaried(string: input.text)
        }
        append("}")
    }

    /// An array of random numbers from 0 to 1 of which the last can be varied in 10^15 ways.
    init(randomDoubles count: Int, by generator: inout SplitMix64, deadline: Duration? = nil) {
        start(deadline)
        append("[")
        for _ in 0..<max(0, count - 1) { append("\(generator.unit()),") }
        append("0.")
        appendSlot(digits: 15, base: 0, modulus: 1_000_000_000_000_000)
        append("]}")
    }

    private mutating func start(_ deadline: Duration?) {
        append("{")
        if let deadline { append("\"timeout_micros\":\(deadline.wholeMicroseconds),") }
        append("\"input\":")
    }

    private mutating func appendVaried(_ elements: [RawJSON]) throws {
        func isNumber(_ json: RawJSON) -> Bool {
            json.text.utf8.first.map { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) } ?? false
        }
        let count = min(2, elements.count)
        guard count > 0, elements.suffix(count).allSatisfy(isNumber) else {
            throw CommandFailure.usage(
                "an array that does not end with a number cannot be varied; leave out --distinct, or give another input"
            )
        }
        append("[")
        for element in elements.dropLast(count) { append(element.text + ",") }
        if count == 1 {
            appendSlot(digits: 8, base: 10_000_000, modulus: 6_777_216)
        } else {
            appendSlot(digits: 7, base: 1_000_000, divisor: 9_000_000, modulus: 9_000_000)
            append(",")
            appendSlot(digits: 7, base: 1_000_000, modulus: 9_000_000)
        }
        append("]")
    }

    private mutating func appendVaried(string json: String) {
        let digits = 12
        let content = json.dropFirst().dropLast()
        let isPlain: (Character) -> Bool = { $0.isASCII && $0 != "\\" }
        let isReplaced = content.count >= digits && content.prefix(digits).allSatisfy(isPlain)
        append("\"")
        appendSlot(digits: digits, base: 0, modulus: 1_000_000_000_000)
        append(String(isReplaced ? content.dropFirst(digits) : content))
        append("\"")
    }

    private mutating func append(_ text: String) { bytes += text.utf8 }

    private mutating func appendSlot(digits: Int, base: UInt64, divisor: UInt64 = 1, modulus: UInt64) {
        slots.append(
            RequestTemplate.Slot(offset: bytes.count, digits: digits, base: base, divisor: divisor, modulus: modulus))
        // The digits of number zero.
        bytes += [UInt8](repeating: UInt8(ascii: "0"), count: digits - "\(base)".utf8.count) + Array("\(base)".utf8)
    }
}
