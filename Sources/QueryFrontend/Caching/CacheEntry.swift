import ContainerRPC

/// One output with what it was computed from, in one piece of memory of its own.
///
/// An input is a part of its request's memory and an output a part of its batch's; an entry copies both, so that it keeps
/// nothing else alive, and so that one allocation and one release are all it takes.
struct CacheEntry: Sendable {
    /// What an entry takes beside its input and output, in bytes: its slot (24), its cell of the index (11 to 21), the
    /// header of its array (32), what stands before the input (24), and what malloc adds (8, and up to 15 for rounding).
    /// Measured as resident memory, 100,000 entries took 112 to 128 each.
    static let overhead = 128

    private static let headLength = 3 * MemoryLayout<Int>.size

    /// The model's number, the hash and the input's length; the input; the output.
    private let bytes: [UInt8]

    /// Copies the input and the output.
    init(_ output: ArraySlice<UInt8>, for key: CacheKey) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headLength + key.input.byteCount + output.count)
        for number in [key.model.index, key.hash, key.input.byteCount] {
            withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
        }
        key.input.withSpan { input in input.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        bytes.append(contentsOf: output)
        self.bytes = bytes
    }

    /// What an entry with so long an input and output counts as, in bytes.
    static func byteCount(input: Int, output: Int) -> Int {
        input + output + overhead
    }

    /// What the entry counts as, in bytes.
    var byteCount: Int { bytes.count - Self.headLength + Self.overhead }

    /// The output; it shares the entry's memory.
    var output: ArraySlice<UInt8> { bytes[(Self.headLength + head.inputByteCount)...] }

    /// The key's hash.
    var hash: Int { head.hash }

    /// Whether the entry is of that model version.
    func isOf(_ model: ModelHandle) -> Bool {
        head.model == model.index
    }

    /// Whether the entry is the key's: every byte is compared.
    func isFor(_ key: CacheKey) -> Bool {
        let head = head
        guard head.hash == key.hash, head.model == key.model.index else { return false }
        return key.input.isEqual(to: bytes.span.extracting(Self.headLength..<(Self.headLength + head.inputByteCount)))
    }

    private var head: (model: Int, hash: Int, inputByteCount: Int) {
        bytes.withUnsafeBytes {
            let length = MemoryLayout<Int>.size
            return (
                $0.loadUnaligned(as: Int.self), $0.loadUnaligned(fromByteOffset: length, as: Int.self),
                $0.loadUnaligned(fromByteOffset: 2 * length, as: Int.self)
            )
        }
    }
}
