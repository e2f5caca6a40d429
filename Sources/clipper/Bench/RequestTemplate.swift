/// A request ready to be sent, in which a number can be put in place: no two requests are then alike.
struct RequestTemplate: Equatable, Sendable {
    /// Where digits of the request's number stand.
    struct Slot: Equatable, Sendable {
        /// The first digit's place.
        var offset: Int
        /// How many digits there are.
        var digits: Int
        /// What is added to the part of the number, so that it has that many digits without zeros before them.
        var base: UInt64
        /// The part of the number: divided by this …
        var divisor: UInt64
        /// … and the remainder of a division by this.
        var modulus: UInt64
    }

    /// The request, head and body.
    private(set) var bytes: [UInt8]
    private let slots: [Slot]

    /// A POST of JSON over a connection that stays open.
    ///
    /// - Parameters:
    ///   - path: the path, percent-encoded.
    ///   - host: the value of the header `Host`.
    ///   - body: the body, whose slots count from its start.
    init(path: String, host: String, body: BenchBody) {
        let head = """
            POST \(path) HTTP/1.1\r
            Host: \(host)\r
            Content-Type: application/json\r
            Content-Length: \(body.bytes.count)\r
            \r

            """
        bytes = Array(head.utf8) + body.bytes
        let length = head.utf8.count
        slots = body.slots.map { slot in
            var slot = slot
            slot.offset += length
            return slot
        }
    }

    /// Puts a number in place; without slots all requests are the same.
    mutating func put(_ number: UInt64) {
        for slot in slots {
            var rest = slot.base + number / slot.divisor % slot.modulus
            for index in (slot.offset..<(slot.offset + slot.digits)).reversed() {
                bytes[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
    }
}
