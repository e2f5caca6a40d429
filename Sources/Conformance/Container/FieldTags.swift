/// The heads of the messages of RPC 4: their ids, and the tags of their fields. A receiver does not look at the bit that
/// makes a field mandatory where it knows the field, but a sender must set it where section 5 does, and only there:
/// others may not know the field.
enum FieldTags {
    /// By the type of the message. A table of the kit's own: that of the codec would excuse the codec's faults.
    private static let asSent: [UInt8: [(name: String, tag: Int)]] = {
        let code: [(name: String, tag: Int)] = [("code", 0x800d), ("reason", 0x000e)]
        return [
            1: [("heartbeat-interval", 0x0001), ("silence-limit", 0x0002), ("software", 0x0003)],
            2: [("replica", 0x000c)],
            3: code + [("retry-after", 0x000f)],
            4: [],
            5: [("item-type", 0x8010), ("budget", 0x0013), ("traceparent", 0x0015), ("tracestate", 0x0016)],
            6: [("item-type", 0x8010), ("vectors", 0x8011), ("label-type", 0x8012)],
            7: code,
            8: [
                ("software", 0x0003), ("model-name", 0x8004), ("model-version", 0x8005), ("input-type", 0x8006),
                ("largest-batch", 0x8007), ("batches-in-flight", 0x8008), ("metadata", 0x0009),
                ("beats-while-busy", 0x000a), ("wants-feedback", 0x000b),
            ],
            9: [("item-type", 0x8010), ("vectors", 0x8011), ("compute-time", 0x0014)],
            10: code,
        ]
    }()

    /// What belongs to a batch: predict, feedback, results and failure.
    private static let typesWithID: Set<UInt8> = [5, 6, 9, 10]

    /// An id where there is no batch, or the first field of a well-formed message whose tag has the bit without need, or
    /// lacks it.
    ///
    /// - Parameter sender: who has sent it.
    static func fault(in frames: [[UInt8]], from sender: String = "the container") -> Fault? {
        guard let head = frames.first, head.count >= 12, let known = asSent[head[4]],
            head[5..<8].allSatisfy({ $0 == 0 })
        else {
            return nil
        }
        guard typesWithID.contains(head[4]) || head[8..<12].allSatisfy({ $0 == 0 }) else {
            return Fault(
                expected: "the id 0 in a message that belongs to no batch (rpc-4.md 4.1)",
                but: "the bytes of its id are \(hexadecimal(head[8..<12]))")
        }
        var rest = head[12...]
        while rest.count >= 4 {
            let bytes = Array(rest.prefix(4))
            let (tag, length) = (Int(bytes[0]) | Int(bytes[1]) << 8, Int(bytes[2]) | Int(bytes[3]) << 8)
            if let field = known.first(where: { $0.tag & 0x7fff == tag & 0x7fff }), field.tag != tag {
                return Fault(
                    expected: "the tag \(text(field.tag)) for the field \(field.name) (rpc-4.md 5)",
                    but: "\(sender) sent \(text(tag))")
            }
            rest = rest.dropFirst(4 + length)
        }
        return nil
    }

    private static func text(_ tag: Int) -> String {
        let digits = String(tag, radix: 16)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
