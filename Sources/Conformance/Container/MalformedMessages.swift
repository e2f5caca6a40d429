import ContainerRPC

/// A message from a frontend that breaks one rule, and the kind of error that it is by the specification.
struct MalformedMessage: Sendable {
    /// The kind of error, or where one kind has several shapes, a name for this one.
    let name: String
    /// What is wrong, in a few words.
    let summary: String
    /// Whether it is only one to a container that takes strings.
    var stringsOnly = false
    /// Whether it is none to a container whose elements have one byte.
    var wideOnly = false
    /// Breaks the right message: a batch of two inputs.
    let frames: @Sendable (_ request: [[UInt8]], _ type: InputType) -> [[UInt8]]

    init(
        _ name: String, _ summary: String, stringsOnly: Bool = false, wideOnly: Bool = false,
        _ frames: @escaping @Sendable (_ request: [[UInt8]], _ type: InputType) -> [[UInt8]]
    ) {
        self.name = name
        self.summary = summary
        self.stringsOnly = stringsOnly
        self.wideOnly = wideOnly
        self.frames = frames
    }

    // MARK: RPC 3

    private static let keepAlive: [[UInt8]] = [[], u32(3), u32(2), u32(0)]

    /// What a container of RPC 3 must not act on (`protocol/rpc-3.md`, 7.2 and 9.3).
    static let ofVersion3: [MalformedMessage] = [
        MalformedMessage("unknown-type", "a message of type 7") { _, _ in [[], u32(3), u32(7)] },
        MalformedMessage("unknown-heartbeat-type", "a heartbeat of type 9") { _, _ in [[], u32(3), u32(2), u32(9)] },
        MalformedMessage("unknown-request-type", "a request of type 5") { request, _ in request.replacing(4, u32(5)) },
        MalformedMessage("unknown-data-type", "a batch of data type 9") { request, _ in
            request.replacing(6, u64(9) + request[6].dropFirst(8))
        },
        MalformedMessage("missing-frame", "a heartbeat without its last frame") { _, _ in Array(keepAlive.dropLast()) },
        MalformedMessage("missing-header", "a batch that ends before its header") { request, _ in
            Array(request.prefix(6))
        },
        MalformedMessage("surplus-frame", "a heartbeat with a frame too many") { _, _ in keepAlive + [[1, 2, 3]] },
        MalformedMessage("surplus-input", "a batch with one input more than its header says") { request, _ in
            request + [[]]
        },
        MalformedMessage("missing-input", "a batch with one input less than its header says") { request, _ in
            Array(request.dropLast())
        },
        MalformedMessage("not-empty", "a heartbeat whose first frame is not empty") { _, _ in
            keepAlive.replacing(0, [1])
        },
        MalformedMessage("frame-length", "a heartbeat whose type has 3 bytes") { _, _ in
            keepAlive.replacing(2, [2, 0, 0])
        },
        MalformedMessage("header-length", "a batch whose header is not as long as it is said to be") { request, _ in
            request.replacing(5, u64(request[6].count + 8))
        },
        MalformedMessage("count-overflow", "a batch whose count is 2^61") { request, _ in
            request.replacing(6, Array(request[6].prefix(8)) + [0, 0, 0, 0, 0, 0, 0, 0x20] + request[6].dropFirst(16))
        },
        MalformedMessage("size-mismatch", "a batch one of whose inputs is longer than its size") { request, type in
            // ASCII, where it is a string.
            request.replacing(7, request[7] + [UInt8](repeating: 0, count: type.elementByteCount))
        },
        MalformedMessage("element-size", "an input that is no whole number of elements", wideOnly: true) { request, _ in
            request.replacing(6, request[6].replacingWord(2, UInt64(request[7].count + 1)))
                .replacing(7, request[7] + [0])
        },
        MalformedMessage("invalid-utf8", "a string that is not UTF-8", stringsOnly: true) { request, _ in
            request.replacing(6, request[6].replacingWord(2, 2)).replacing(7, [0xc3, 0x28])
        },
        MalformedMessage("empty-message", "a message of one empty frame") { _, _ in [[]] },
    ]

    // MARK: RPC 4

    /// What a container of RPC 4 must not act on (`protocol/rpc-4.md`, 9.3).
    static let ofVersion4: [MalformedMessage] = [
        MalformedMessage("head-length", "a head of 11 bytes") { _, _ in [Array(head(4).dropLast())] },
        MalformedMessage("unknown-type", "a message of type 77") { _, _ in [head(77)] },
        MalformedMessage("wrong-direction", "a message that only containers send: register") { _, _ in [head(8)] },
        MalformedMessage("version-of-16-bits", "a batch whose version is 4 in its lower 16 bits alone") { request, _ in
            request.replacing(0, u32(0x1_0004) + request[0].dropFirst(4))
        },
        MalformedMessage("unknown-field", "a mandatory field that nobody knows") { request, _ in
            request.replacing(0, request[0] + field(0xf530, [1, 2, 3]))
        },
        MalformedMessage("field-of-another-message", "a batch with model-version, which is mandatory") { request, _ in
            request.replacing(0, request[0].prefix(12) + field(0x8005, [0x31]) + request[0].dropFirst(12))
        },
        MalformedMessage("field-length", "a field that ends beyond its frame") { request, _ in
            request.replacing(0, request[0] + u16(0x7530) + u16(9) + [1, 2])
        },
        MalformedMessage("field-order", "fields whose numbers do not ascend") { request, _ in
            request.replacing(0, request[0] + field(5, []))
        },
        MalformedMessage("field-twice", "a batch with two budgets") { request, _ in
            request.replacing(0, request[0] + field(0x0013, u64(60_000_000)) + field(0x0013, u64(60_000_000)))
        },
        MalformedMessage("field-value", "a budget of 4 bytes") { request, _ in
            request.replacing(0, request[0] + field(0x0013, u32(1_000_000)))
        },
        MalformedMessage("missing-field", "a batch without the type of its items") { request, _ in
            request.replacing(0, Array(request[0].prefix(12)))
        },
        MalformedMessage("welcome-without-times", "a welcome without its times") { _, _ in [head(1)] },
        MalformedMessage("interval-of-0", "a welcome with a heartbeat interval of 0") { _, _ in
            [head(1) + field(1, u32(0)) + field(2, u32(30_000))]
        },
        MalformedMessage("limit-of-0", "a welcome with a silence limit of 0") { _, _ in
            [head(1) + field(1, u32(5_000)) + field(2, u32(0))]
        },
        MalformedMessage("unknown-data-type", "a batch of data type 9") { request, _ in
            request.replacing(0, Array(request[0].prefix(12)) + field(0x8010, u32(9)))
        },
        MalformedMessage("missing-frame", "a batch without its items") { request, _ in Array(request.dropLast()) },
        MalformedMessage("surplus-frame", "a heartbeat with a frame too many") { _, _ in [head(4), [1, 2, 3]] },
        MalformedMessage("surplus-welcome", "a welcome with a frame too many") { _, _ in
            [head(1) + field(1, u32(5_000)) + field(2, u32(30_000)), []]
        },
        MalformedMessage("surplus-accepted", "accepted with a frame too many") { _, _ in [head(2), []] },
        MalformedMessage("surplus-refused", "refused with a frame too many") { _, _ in
            // Whoever takes it for a refusal stays away.
            [head(3) + field(0x800d, u32(3)) + field(0x000f, u32(600_000)), []]
        },
        MalformedMessage("surplus-goodbye", "a goodbye with a frame too many") { _, _ in
            // Whoever takes it for a goodbye is drained.
            [head(7) + field(0x800d, u32(3)), []]
        },
        MalformedMessage("surplus-items", "a batch with a frame too many") { request, _ in request + [[0]] },
        MalformedMessage("offsets-not-whole", "offsets of 5 bytes") { request, _ in
            request.replacing(1, u32(0) + [0])
        },
        MalformedMessage("offsets-empty", "no offsets at all") { request, _ in request.replacing(1, []) },
        MalformedMessage("offsets-begin", "offsets that do not begin with 0") { request, type in
            request.replacing(1, u32(type.elementByteCount) + request[1].dropFirst(4))
        },
        MalformedMessage("offsets-descend", "offsets that descend") { request, type in
            // Items of its own: the batch's may be empty.
            let size = type.elementByteCount
            return request.replacing(1, u32(0) + u32(size) + u32(0) + u32(2 * size))
                .replacing(2, [UInt8](repeating: 0, count: 2 * size))
        },
        MalformedMessage("offsets-end", "offsets that end beyond the items") { request, type in
            request.replacing(1, request[1].dropLast(4) + u32(request[2].count + type.elementByteCount))
        },
        MalformedMessage("offsets-short", "items beyond the last offset") { request, type in
            request.replacing(2, request[2] + [UInt8](repeating: 0, count: type.elementByteCount))
        },
        MalformedMessage("element-size", "an input that is no whole number of elements", wideOnly: true) { request, _ in
            request.replacing(1, u32(0) + u32(request[2].count + 1)).replacing(2, request[2] + [0])
        },
        MalformedMessage("element-cut", "an element that is divided between two inputs", wideOnly: true) {
            request, type in
            let size = type.elementByteCount
            return request.replacing(1, u32(0) + u32(size / 2) + u32(2 * size))
                .replacing(2, [UInt8](repeating: 0, count: 2 * size))
        },
        MalformedMessage("invalid-utf8", "a string that is not UTF-8", stringsOnly: true) { request, _ in
            request.replacing(1, u32(0) + u32(2)).replacing(2, [0xc3, 0x28])
        },
        MalformedMessage("character-cut", "a character that is divided between two strings", stringsOnly: true) {
            request, _ in
            request.replacing(1, u32(0) + u32(1) + u32(2)).replacing(2, [0xc3, 0xa9])
        },
        MalformedMessage("reason-not-utf8", "a goodbye whose reason is not UTF-8") { _, _ in
            [head(7) + field(0x800d, u32(3)) + field(0x000e, [0xc3])]
        },
    ]

    // MARK: Bytes

    static func u16(_ value: Int) -> [UInt8] { bytes(UInt16(truncatingIfNeeded: value)) }
    static func u32(_ value: Int) -> [UInt8] { bytes(UInt32(truncatingIfNeeded: value)) }
    static func u64(_ value: Int) -> [UInt8] { bytes(UInt64(value)) }
    static func u64(_ value: UInt64) -> [UInt8] { bytes(value) }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// The head of a message of RPC 4.
    static func head(_ type: Int, id: UInt32 = 0, version: Int = 4) -> [UInt8] {
        u32(version) + u32(type) + u32(Int(id))
    }

    /// A field with its tag, which says whether it is mandatory.
    static func field(_ tag: Int, _ value: [UInt8]) -> [UInt8] {
        u16(tag) + u16(value.count) + value
    }
}

extension [[UInt8]] {
    /// The same message with another frame in this place.
    func replacing(_ index: Int, _ frame: some Sequence<UInt8>) -> [[UInt8]] {
        var frames = self
        if frames.indices.contains(index) { frames[index] = [UInt8](frame) }
        return frames
    }
}

extension [UInt8] {
    /// The same bytes with another 64-bit word in this place.
    func replacingWord(_ index: Int, _ value: UInt64) -> [UInt8] {
        var bytes = self
        let range = index * 8..<index * 8 + 8
        guard range.upperBound <= bytes.count else { return bytes }
        bytes.replaceSubrange(range, with: MalformedMessage.u64(Int(value)))
        return bytes
    }
}
