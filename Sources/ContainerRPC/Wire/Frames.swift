/// The frames of one received message, to be read in place.
///
/// The decoders read through this, so that the same code reads libzmq's messages without a copy and
/// arrays of bytes in tests, vectors and fuzzers.
public protocol FrameSource: ~Copyable {
    /// How many frames the message has.
    var frameCount: Int { get }

    /// Hands out the bytes of a frame that exists.
    func withFrame<Result>(_ index: Int, _ body: (Span<UInt8>) throws(WireError) -> Result) throws(WireError) -> Result
}

extension FrameSource where Self: ~Copyable {
    /// Whether the message is one of RPC 4: those of RPC 3 begin with an empty frame (`protocol/rpc-4.md`, section 2).
    public var isVersion4: Bool {
        guard frameCount > 0 else { return false }
        let isEmpty = try? withFrame(0) { (bytes) throws(WireError) in bytes.isEmpty }
        return isEmpty == false
    }
}

/// Bounds of what this project's frontend and containers take.
public enum WireBounds {
    /// The longest frame, in bytes; a longer one ends its connection (`protocol/rpc-4.md`, section 6.2).
    public static let frameBytes = 256 << 20
}

/// Where an encoder puts the frames of one message, in order.
public protocol FrameSink: ~Copyable {
    /// Appends a frame with a copy of these bytes.
    mutating func append(_ bytes: Span<UInt8>)

    /// Appends a frame of so many bytes, which `fill` writes where they are to lie. What it leaves is undefined.
    mutating func append(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void)

    /// Appends a frame that may share the payload's storage instead of copying it.
    mutating func append(_ payload: Payload)
}

/// The frames of one message as arrays of bytes.
public struct FrameList: FrameSource, FrameSink, Hashable, Sendable {
    /// The bytes of each frame, in order.
    public var frames: [[UInt8]]

    /// A message of these frames.
    public init(_ frames: [[UInt8]] = []) {
        self.frames = frames
    }

    public var frameCount: Int { frames.count }

    public func withFrame<Result>(
        _ index: Int, _ body: (Span<UInt8>) throws(WireError) -> Result
    ) throws(WireError) -> Result {
        let frame = frames[index]
        return try body(frame.span)
    }

    public mutating func append(_ bytes: Span<UInt8>) {
        frames.append([UInt8](copying: bytes))
    }

    public mutating func append(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        var frame = [UInt8](repeating: 0, count: byteCount)
        frame.withUnsafeMutableBytes(fill)
        frames.append(frame)
    }

    public mutating func append(_ payload: Payload) {
        frames.append(payload.withSpan { [UInt8](copying: $0) })
    }
}

extension FrameSink where Self: ~Copyable {
    @inline(__always)
    mutating func appendEmpty() {
        append(Span<UInt8>())
    }

    @inline(__always)
    mutating func append(uint32 value: UInt32) {
        let bytes: InlineArray<4, UInt8> = [
            UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 24),
        ]
        append(bytes.span)
    }

    @inline(__always)
    mutating func append(uint64 value: UInt64) {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
        append(bytes.span)
    }

    mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { append(Span(_unsafeElements: $0)) }
    }

    /// Appends a header of little-endian 64-bit words, preceded by the frame that states its length in bytes.
    mutating func appendHeader(_ words: Int, _ word: (Int) -> UInt64) {
        append(uint64: UInt64(words * 8))
        append(byteCount: words * 8) { header in
            // The frame is exactly as long as the words that are stored in it.
            for index in 0..<words {
                header.storeBytes(of: word(index).littleEndian, toByteOffset: index * 8, as: UInt64.self)
            }
        }
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        self = bytes.withUnsafeBufferPointer { [UInt8]($0) }
    }
}
