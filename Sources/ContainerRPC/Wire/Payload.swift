#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Immutable bytes with one owner; slices share it, and so do messages under way.
///
/// An input is written once, where its JSON is parsed, and lives until its last message has left: the
/// frontend sends it without another copy and can send it again when a replica is lost.
public struct Payload: Sendable {
    let storage: PayloadStorage
    let offset: Int
    /// The length in bytes.
    public let byteCount: Int

    /// All bytes of a storage.
    public init(_ storage: PayloadStorage) {
        self.init(unchecked: storage, offset: 0, byteCount: storage.byteCount)
    }

    private init(unchecked storage: PayloadStorage, offset: Int, byteCount: Int) {
        self.storage = storage
        self.offset = offset
        self.byteCount = byteCount
    }

    /// A copy of the bytes.
    public init(copying bytes: some Collection<UInt8>) {
        self.init(PayloadStorage(byteCount: bytes.count) { $0.copyBytes(from: bytes) })
    }

    /// The bytes of a range of a storage. The range must lie within it.
    public init(_ storage: PayloadStorage, range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= storage.byteCount, "range outside the storage")
        self.init(unchecked: storage, offset: range.lowerBound, byteCount: range.count)
    }

    /// The bytes in place. The pointer is valid for as long as the payload's storage is referenced.
    var unsafeBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.base + offset, count: byteCount)
    }

    /// Hands out the bytes.
    public func withSpan<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        // `self` holds the storage for the length of the call.
        try body(Span(_unsafeElements: unsafeBytes.assumingMemoryBound(to: UInt8.self)))
    }

    /// Whether the bytes are those of the span.
    package func isEqual(to other: Span<UInt8>) -> Bool {
        guard byteCount == other.count, byteCount > 0 else { return byteCount == other.count }
        return other.withUnsafeBytes { other in
            guard let other = other.baseAddress else { return false }
            return memcmp(storage.base + offset, other, byteCount) == 0
        }
    }

    /// The bytes as an array.
    public var bytes: [UInt8] { withSpan { [UInt8](copying: $0) } }
}

extension Payload: Hashable {
    public static func == (left: Payload, right: Payload) -> Bool {
        right.withSpan { left.isEqual(to: $0) }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(bytes: unsafeBytes)
    }
}

/// The memory behind payloads, aligned for 64-bit elements: one object with the bytes in it, however often it is shared.
///
/// `@unchecked Sendable`: the bytes are written only inside `init`, before anyone else can see the object, and the
/// memory goes with the last reference.
public struct PayloadStorage: @unchecked Sendable {
    /// The object, with the length as its header. Its elements are integers: nothing has to be undone when it goes.
    package let buffer: ManagedBuffer<Int, UInt64>

    /// The length in bytes.
    var byteCount: Int { buffer.header }

    /// Where the bytes begin. They are part of the object and never move: there for as long as it is.
    var base: UnsafeMutableRawPointer {
        buffer.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
    }

    /// Allocates the storage and lets `fill` write it; what that leaves stays zero.
    public init(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        let width = MemoryLayout<UInt64>.stride
        let words = byteCount / width + (byteCount % width == 0 ? 0 : 1)
        buffer = .create(minimumCapacity: words) { _ in byteCount }
        buffer.withUnsafeMutablePointerToElements { $0.initialize(repeating: 0, count: words) }
        try fill(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
    }
}
