import ContainerRPC

/// A hash that is the same in every process and version: FNV-1a of 64 bits (Fowler, Noll and Vo), mixed at the end by
/// SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014), because FNV's high bits depend too little on the last
/// bytes. Not for secrets.
struct StableHash: Sendable, Hashable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    init() {}

    /// The hash of one text.
    init(_ text: String) {
        combine(text)
    }

    /// Adds a text. Its end counts too: "ab" and "c" is another hash than "a" and "bc".
    mutating func combine(_ text: String) {
        for byte in text.utf8 { combine(byte) }
        // No UTF-8 holds this byte.
        combine(0xFF)
    }

    private mutating func combine(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    /// The hash of all that was added.
    var value: UInt64 { SplitMix64.mix(state) }
}
