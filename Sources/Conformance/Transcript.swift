import ContainerRPC

/// What passed between the two sides of a scenario, in order.
package struct Transcript: Sendable {
    /// Which side sent a message.
    package enum Direction: String, Sendable {
        case toContainer = "F → C"
        case toFrontend = "C → F"
    }

    /// A message, or a remark of the kit's.
    package enum Entry: Sendable {
        case message(at: Duration, Direction, peer: String, name: String, frames: ShownFrames)
        case remark(at: Duration, String)
    }

    /// Oldest first.
    package private(set) var entries: [Entry] = []
    /// How many were left out in the middle.
    package private(set) var omitted = 0

    private static let most = 400

    package init() {}

    mutating func append(_ entry: Entry) {
        entries.append(entry)
        guard entries.count > Self.most else { return }
        // The beginning tells how it came to be, the end what went wrong.
        entries.remove(at: Self.most / 2)
        omitted += 1
    }

    /// The transcript as text: the time, the direction, the message by its name, and each frame in hexadecimal.
    package var lines: [String] {
        var lines: [String] = []
        for (index, entry) in entries.enumerated() {
            if omitted > 0, index == Self.most / 2 { lines.append("          … \(omitted) more are left out here …") }
            switch entry {
            case .message(let time, let direction, let peer, let name, let frames):
                lines.append("\(Self.stamp(time))  \(direction.rawValue)  \(name)  [\(peer.shortened(to: 16))]")
                lines += frames.lines.map { "            " + $0 }
            case .remark(let time, let text):
                lines.append("\(Self.stamp(time))  -----  \(text)")
            }
        }
        return lines
    }

    private static func stamp(_ time: Duration) -> String {
        let milliseconds = max(0, time.inMilliseconds)
        let digits = String(milliseconds % 1_000)
        let text = "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - digits.count) + digits
        return String(repeating: " ", count: max(0, 8 - text.count)) + text
    }
}

/// A message's frames, whole up to a kilobyte each: a transcript of 16 MiB helps nobody.
package struct ShownFrames: Sendable {
    /// One frame.
    struct Frame: Sendable {
        let index: Int
        let byteCount: Int
        let first: [UInt8]
        let last: [UInt8]

        init(_ index: Int, _ bytes: [UInt8]) {
            self.index = index
            byteCount = bytes.count
            if bytes.count <= ShownFrames.mostBytes {
                first = bytes
                last = []
            } else {
                first = Array(bytes.prefix(ShownFrames.mostBytes - ShownFrames.bytesPerLine))
                last = Array(bytes.suffix(ShownFrames.bytesPerLine))
            }
        }
    }

    private static let mostBytes = 1_024
    private static let bytesPerLine = 32
    private static let mostAtStart = 12
    private static let mostAtEnd = 2

    let count: Int
    let shown: [Frame]

    init(_ frames: [[UInt8]]) {
        count = frames.count
        let indices = frames.indices.filter {
            frames.count <= Self.mostAtStart + Self.mostAtEnd || $0 < Self.mostAtStart
                || $0 >= frames.count - Self.mostAtEnd
        }
        shown = indices.map { Frame($0, frames[$0]) }
    }

    /// For each frame its index, its length and its bytes, in as many lines as those take.
    var lines: [String] {
        var lines: [String] = []
        var next = 0
        for frame in shown {
            if frame.index > next { lines.append("… \(frame.index - next) frames …") }
            next = frame.index + 1
            let head = "\(frame.index)".leftPadded(to: 3) + "\(frame.byteCount)".leftPadded(to: 7)
            var rows = Self.rows(of: frame.first)
            let middle = frame.byteCount - frame.first.count - frame.last.count
            if middle > 0 { rows += ["… \(middle) bytes …"] + Self.rows(of: frame.last) }
            lines.append(rows.isEmpty ? head : head + "  " + rows[0])
            lines += rows.dropFirst().map { String(repeating: " ", count: head.count + 2) + $0 }
        }
        return lines
    }

    private static func rows(of bytes: [UInt8]) -> [String] {
        stride(from: 0, to: bytes.count, by: bytesPerLine).map {
            hexadecimal(bytes[$0..<min($0 + bytesPerLine, bytes.count)])
        }
    }
}

/// Bytes as two digits each.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

extension String {
    func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }

    /// The text, cut where it is longer.
    func shortened(to limit: Int) -> String {
        count <= limit ? self : prefix(limit) + "…"
    }
}
