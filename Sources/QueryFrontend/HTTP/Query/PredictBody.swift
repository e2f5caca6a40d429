import CSimdjson
import ContainerRPC
import NIOCore

/// Feedback as a request brings it.
struct FeedbackBody {
    /// One piece of feedback.
    struct Piece {
        var subject: SelectedFeedback.Subject
        var user: String?
        var id: String?
    }

    /// Each piece, or what is wrong with it.
    var pieces: [Result<Piece, PredictBodyParser.Problem>]
    /// Whether they came as `updates`: then so do the answers.
    var isBatch: Bool
}

/// Reads bodies of the query API, from JSON straight into the wire's layout; one per event loop.
final class PredictBodyParser {
    /// A body's contents.
    struct Body {
        var inputs: Submission.Inputs
        /// Whether the request was a batch; one of a single input is answered as that input is.
        var isBatch: Bool
        /// The model version that is asked for instead of the current one.
        var version: String?
        /// Who asks, where the request says so.
        var user: String?
        /// The time that the request leaves for its answer, where it is shorter than the application's SLO.
        var timeout: Duration?
    }

    /// Why a body cannot be read, for the one who sent it.
    struct Problem: Error {
        var cause: String
    }

    private let owned = SimdjsonParser()
    private var parser: OpaquePointer { owned.pointer }
    private let largestBatch: Int

    /// - Parameter largestBatch: the most inputs that one body may hold.
    init(largestBatch: Int = HTTPLimits().largestBatch) {
        self.largestBatch = largestBatch
    }

    /// Reads the body of a `predict`.
    ///
    /// - Parameter readsUser: whether it matters who asks.
    func parse(_ buffer: ByteBuffer, inputType: InputType, readsUser: Bool = false) throws(Problem) -> Body {
        var body = csj_body()
        defer { csj_parser_trim(parser) }
        let type = Int32(inputType.rawValue)
        // The pointers into the body are valid until the parser's next use, which is after this function.
        let problem = buffer.withUnsafeReadableBytes { bytes in
            csj_parse(
                parser, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, type, readsUser, &body
            ).map { String(cString: $0) }
        }
        if let problem { throw Problem(cause: Self.explained(problem, buffer)) }
        guard body.count <= largestBatch else {
            throw Problem(cause: "input_batch holds \(body.count) inputs; the limit is \(largestBatch)")
        }
        let inputs = try inputs(of: body, type: type)
        let version = body.version.map { pointer in
            String(decoding: UnsafeRawBufferPointer(start: pointer, count: body.version_length), as: UTF8.self)
        }
        return Body(
            inputs: inputs, isBatch: body.is_batch, version: version, user: Self.name(body.uid),
            timeout: body.has_timeout ? .microseconds(Int64(clamping: body.timeout_micros)) : nil)
    }

    /// Reads the body of an `update`: one piece of feedback, or several.
    ///
    /// - Parameter isStrict: whether each needs what Clipper asks for, an integer as `uid` and a number as label.
    /// - Throws: `Problem` for a body that cannot be read at all; what is wrong with a piece is told in its place.
    func parseFeedback(
        _ buffer: ByteBuffer, inputType: InputType, isStrict: Bool
    ) throws(Problem) -> FeedbackBody {
        var count = 0
        var isBatch = false
        defer { csj_parser_trim(parser) }
        let problem = buffer.withUnsafeReadableBytes { bytes in
            csj_parse_feedback(
                parser, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &count, &isBatch
            ).map { String(cString: $0) }
        }
        if let problem { throw Problem(cause: Self.explained(problem, buffer)) }
        guard count <= largestBatch else {
            throw Problem(cause: "updates holds \(count) pieces of feedback; the limit is \(largestBatch)")
        }
        let pieces = (0..<count).map { index in
            Result { () throws(Problem) in try piece(index, inputType: inputType, isStrict: isStrict) }
        }
        return FeedbackBody(pieces: pieces, isBatch: isBatch)
    }

    /// What makes a body malformed is looked for up to this length, in bytes.
    private static let longestExplained = 1 << 20

    /// simdjson does not say where a body is malformed, and hardly how.
    private static func explained(_ problem: String, _ buffer: ByteBuffer) -> String {
        let prefix = "malformed JSON: "
        guard problem.hasPrefix(prefix), buffer.readableBytes <= longestExplained else { return problem }
        if let found = JSONScanner.problem(of: Array(buffer.readableBytesView)) { return prefix + found }
        // Well formed, and not to be held.
        return problem.contains("number") ? prefix + "a number is beyond what 64 bits can hold" : problem
    }

    private func piece(_ index: Int, inputType: InputType, isStrict: Bool) throws(Problem) -> FeedbackBody.Piece {
        var feedback = csj_feedback()
        let type = Int32(inputType.rawValue)
        if let problem = csj_read_feedback(parser, index, type, isStrict, &feedback) {
            throw Problem(cause: String(cString: problem))
        }
        let subject: SelectedFeedback.Subject
        if feedback.has_query_id {
            let judgement: SelectedFeedback.Judgement? =
                feedback.has_reward ? .reward(feedback.reward) : label(of: feedback).map { .label($0) }
            guard let judgement else { throw Problem(cause: "the key 'label' or 'reward' is missing") }
            subject = .query(feedback.query_id, judgement)
        } else {
            guard let label = label(of: feedback) else { throw Problem(cause: "the key 'label' is missing") }
            var problem: String?
            var end = 0
            let storage = PayloadStorage(byteCount: feedback.byte_count) { target in
                problem = csj_write(parser, type, target.baseAddress?.assumingMemoryBound(to: UInt8.self), &end)
                    .map { String(cString: $0) }
            }
            if let problem { throw Problem(cause: problem) }
            subject = .input(Payload(storage, range: 0..<end), label)
        }
        return FeedbackBody.Piece(
            subject: subject, user: Self.name(feedback.uid), id: Self.name(feedback.feedback_id))
    }

    private func label(of feedback: csj_feedback) -> Label? {
        switch Int(feedback.label_kind) {
        case CSJ_NUMBER:
            return .number(feedback.label_number)
        case CSJ_NUMBERS:
            return .numbers(
                [Double](unsafeUninitializedCapacity: feedback.label_count) { target, count in
                    // An empty array's buffer has no address, and nothing is written to it.
                    if let address = target.baseAddress { csj_label(parser, address) }
                    count = feedback.label_count
                })
        case CSJ_TEXT:
            return .text(
                String(
                    decoding: UnsafeRawBufferPointer(start: feedback.label_text, count: feedback.label_count),
                    as: UTF8.self))
        default:
            return nil
        }
    }

    /// A name as text: an integer and the same number in quotes name the same.
    private static func name(_ name: csj_name) -> String? {
        switch Int(name.kind) {
        case CSJ_NUMBER: String(name.number)
        case CSJ_TEXT: String(decoding: UnsafeRawBufferPointer(start: name.text, count: name.length), as: UTF8.self)
        default: nil
        }
    }

    private func inputs(of body: csj_body, type: Int32) throws(Problem) -> Submission.Inputs {
        var problem: String?
        if body.count == 1 {
            var end = 0
            let storage = PayloadStorage(byteCount: body.byte_count) { target in
                problem = csj_write(parser, type, target.baseAddress?.assumingMemoryBound(to: UInt8.self), &end)
                    .map { String(cString: $0) }
            }
            if let problem { throw Problem(cause: problem) }
            return .one(Payload(storage, range: 0..<end))
        }
        var ends = [Int](repeating: 0, count: body.count)
        let storage = PayloadStorage(byteCount: body.byte_count) { target in
            problem = csj_write(parser, type, target.baseAddress?.assumingMemoryBound(to: UInt8.self), &ends)
                .map { String(cString: $0) }
        }
        if let problem { throw Problem(cause: problem) }
        var start = 0
        return .many(
            ends.map { end in
                defer { start = end }
                return Payload(storage, range: start..<end)
            })
    }

    /// Whether a text is a JSON value, which can stand in an answer as it is.
    func isJSON(_ text: ArraySlice<UInt8>) -> Bool {
        if text.isPlainNumber { return true }
        return text.withUnsafeBufferPointer { csj_is_json(parser, $0.baseAddress, $0.count) }
    }
}

extension ArraySlice<UInt8> {
    /// Whether this is a number of JSON without an exponent, and short: most outputs are, and need no parser.
    fileprivate var isPlainNumber: Bool {
        var digits = self[...]
        if digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
        let whole = digits.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !whole.isEmpty, whole.count <= 18, whole.count == 1 || whole.first != 0x30 else { return false }
        digits = digits.dropFirst(whole.count)
        guard digits.first == UInt8(ascii: ".") else { return digits.isEmpty }
        let fraction = digits.dropFirst().prefix { $0 >= 0x30 && $0 <= 0x39 }
        return !fraction.isEmpty && fraction.count <= 20 && fraction.count == digits.count - 1
    }
}
