/// The numbers of the fields in the head of a message (`protocol/rpc-4.md`, section 5).
enum FieldNumber: UInt16 {
    case heartbeatInterval = 1
    case silenceLimit = 2
    case software = 3
    case modelName = 4
    case modelVersion = 5
    case inputType = 6
    case largestBatch = 7
    case batchesInFlight = 8
    case metadata = 9
    case beatsWhileBusy = 10
    case wantsFeedback = 11
    case replica = 12
    case code = 13
    case reason = 14
    case retryAfter = 15
    case itemType = 16
    case vectors = 17
    case labelType = 18
    case budget = 19
    case computeTime = 20
    case traceParent = 21
    case traceState = 22

    /// The name in the specification: `model-version`.
    var name: String {
        String(describing: self).map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
    }

    /// Whether a receiver that does not know the field must not act on the message.
    var isMandatory: Bool {
        switch self {
        case .modelName, .modelVersion, .inputType, .largestBatch, .batchesInFlight, .code, .itemType, .vectors,
            .labelType:
            true
        default: false
        }
    }
}

/// The bit of a tag that says that its field is mandatory.
let mandatoryBit: UInt16 = 0x8000

/// Writes the head of a message: the fixed part, then fields, which must come in the order of their numbers.
struct HeadWriter {
    private(set) var bytes: [UInt8] = []

    init(type: UInt32, id: UInt32 = 0) {
        bytes.reserveCapacity(48)
        append(RPCVersion.four.rawValue)
        append(type)
        append(id)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func begin(_ number: FieldNumber, _ byteCount: Int) {
        append(number.isMandatory ? number.rawValue | mandatoryBit : number.rawValue)
        append(UInt16(byteCount))
    }

    mutating func field(_ number: FieldNumber, _ value: UInt32?) {
        guard let value else { return }
        begin(number, 4)
        append(value)
    }

    mutating func field(_ number: FieldNumber, _ value: UInt64?) {
        guard let value else { return }
        begin(number, 8)
        append(value)
    }

    mutating func flag(_ number: FieldNumber, _ isSet: Bool) {
        if isSet { begin(number, 0) }
    }

    /// A text longer than a field can hold is cut between two characters.
    mutating func field(_ number: FieldNumber, _ text: String?) {
        guard let text else { return }
        let value = text.utf8Prefix(atMost: Int(UInt16.max))
        begin(number, value.count)
        bytes += value
    }

    /// A negative duration counts as none left, one that no counter holds as the longest.
    mutating func milliseconds(_ number: FieldNumber, _ duration: Duration?) {
        guard let duration else { return }
        field(number, UInt32(clamping: duration.wholeCount(of: 1_000_000_000_000_000)))
    }

    mutating func microseconds(_ number: FieldNumber, _ duration: Duration?) {
        guard let duration else { return }
        field(number, UInt64(clamping: duration.wholeCount(of: 1_000_000_000_000)))
    }

    /// The pairs, without those that the field has no room for any more.
    mutating func field(_ number: FieldNumber, _ pairs: [MetadataPair]) {
        guard !pairs.isEmpty else { return }
        var value: [UInt8] = []
        for pair in pairs {
            var encoded: [UInt8] = []
            for text in [pair.key, pair.value] {
                let utf8 = text.utf8Prefix(atMost: Int(UInt16.max))
                withUnsafeBytes(of: UInt16(utf8.count).littleEndian) { encoded.append(contentsOf: $0) }
                encoded += utf8
            }
            guard value.count + encoded.count <= Int(UInt16.max) else { continue }
            value += encoded
        }
        begin(number, value.count)
        bytes += value
    }
}

extension Duration {
    /// How many whole units of so many attoseconds the duration has.
    fileprivate func wholeCount(of attoseconds: Int128) -> Int128 {
        let (seconds, rest) = components
        return (Int128(seconds) * 1_000_000_000_000_000_000 + Int128(rest)) / attoseconds
    }
}

extension String {
    /// The UTF-8 of the text, cut before the first character that goes beyond so many bytes.
    package func utf8Prefix(atMost limit: Int) -> [UInt8] {
        guard utf8.count > limit else { return [UInt8](utf8) }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > utf8.startIndex, utf8[end] & 0xc0 == 0x80 { end = utf8.index(before: end) }
        return [UInt8](utf8[..<end])
    }
}
