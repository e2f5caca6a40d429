/// What a message breaks, where, and what stands there instead.
///
/// The kinds are those of `protocol/rpc-3.md` and `rpc-4.md`; the golden vectors name them by their raw values.
public struct WireError: Error, Hashable, Sendable {
    /// What is broken.
    public enum Kind: String, Sendable, CaseIterable {
        /// The message ends before a frame that it needs.
        case missingFrame = "missing-frame"
        /// The message goes on after its last frame.
        case surplusFrame = "surplus-frame"
        /// A frame of fixed length has another one.
        case frameLength = "frame-length"
        /// The first frame is not empty.
        case notEmpty = "not-empty"
        /// No message of this direction has this type.
        case unknownType = "unknown-type"
        /// The peer speaks another version of the protocol.
        case unsupportedVersion = "unsupported-version"
        /// A heartbeat is neither keep-alive nor a request for metadata.
        case unknownHeartbeatType = "unknown-heartbeat-type"
        /// A request is neither predict nor feedback.
        case unknownRequestType = "unknown-request-type"
        /// A data type is not one of the five.
        case unknownDataType = "unknown-data-type"
        /// A header's length disagrees with its statement or with its count.
        case headerLength = "header-length"
        /// A header's count is not the number of frames that follow it.
        case countMismatch = "count-mismatch"
        /// A size in a header is not its frame's length.
        case sizeMismatch = "size-mismatch"
        /// An input's length is no multiple of its element's width.
        case elementSize = "element-size"
        /// Text is not UTF-8.
        case invalidUTF8 = "invalid-utf8"
        /// A model's name or version is empty, too long, or holds `,`, `:` or a control character.
        case invalidName = "invalid-name"
        /// The head of a message of RPC 4 is too short.
        case headLength = "head-length"
        /// A field ends beyond its frame.
        case fieldLength = "field-length"
        /// Field numbers do not ascend.
        case fieldOrder = "field-order"
        /// A mandatory field is not known.
        case unknownField = "unknown-field"
        /// A field's value has another size, or is out of its range.
        case fieldValue = "field-value"
        /// A required field is not there.
        case missingField = "missing-field"
        /// Offsets do not describe the frame of items.
        case offsets = "offsets"
        /// The frame of errors is no list of errors.
        case itemErrors = "item-errors"
    }

    /// What is broken.
    public var kind: Kind
    /// The frame's place in the message; 0 is the empty one.
    public var frame: Int
    /// What the protocol asks for there.
    public var expected: String
    /// What is there.
    public var found: String

    package init(_ kind: Kind, frame: Int, expected: String, found: String) {
        self.kind = kind
        self.frame = frame
        self.expected = expected
        self.found = found
    }
}

extension WireError: CustomStringConvertible {
    public var description: String {
        "\(kind.rawValue) in frame \(frame): expected \(expected), found \(found)"
    }
}
