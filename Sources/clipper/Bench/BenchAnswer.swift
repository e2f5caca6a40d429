/// What became of a request of the load.
enum BenchAnswer: Equatable, Sendable {
    /// A model's output.
    case prediction
    /// The application's default output, for this reason.
    case defaultOutput(reason: String)
    /// A 503: the frontend takes no more.
    case rejected
    /// An answer that is none of them: another status, or no prediction.
    case error(String)

    /// The end of a prediction as a frontend writes it. As the comma is outside of any string and the brace closes the
    /// whole, it can only be the member of the answer itself, never a part of an output.
    private static let predictionEnd = Array(",\"default\":false}".utf8)
    private static let defaultMember = Array(",\"default\":true,\"default_explanation\":\"".utf8)
    private static let longestErrorText = 160

    /// Tells what an answer is.
    ///
    /// What a frontend writes is told by its end; anything else is parsed.
    /// - Parameter acceptsAny: every 200 counts as a prediction, whatever it holds.
    init(status: Int, body: ArraySlice<UInt8>, acceptsAny: Bool = false) {
        guard status == 200 else {
            self = status == 503 ? .rejected : .error(Self.errorText(status: status, body: body))
            return
        }
        if acceptsAny || body.ends(with: Self.predictionEnd) {
            self = .prediction
        } else if let reason = Self.reason(atEndOf: body) {
            self = .defaultOutput(reason: reason)
        } else {
            self = Self.parse(body)
        }
    }

    /// The explanation that ends a default output; `nil` where the end is another one, or has escapes in it.
    private static func reason(atEndOf body: ArraySlice<UInt8>) -> String? {
        let quote = UInt8(ascii: "\"")
        guard body.ends(with: [quote, UInt8(ascii: "}")]) else { return nil }
        let text = body.dropLast(2)
        guard let before = text.lastIndex(of: quote), text[..<(before + 1)].ends(with: defaultMember) else {
            return nil
        }
        let reason = text[(before + 1)...]
        return reason.contains(UInt8(ascii: "\\")) ? nil : String(decoding: reason, as: UTF8.self)
    }

    private static func parse(_ body: ArraySlice<UInt8>) -> Self {
        guard let answer = PredictAnswer(String(decoding: body, as: UTF8.self)), !answer.outputs.isEmpty else {
            return .error("the answer is no prediction")
        }
        guard let output = answer.outputs.first(where: \.isDefault) else { return .prediction }
        return .defaultOutput(reason: output.explanation ?? "no explanation")
    }

    /// The status, and what the body says: the keys `error` and `cause`, or its text.
    private static func errorText(status: Int, body: ArraySlice<UInt8>) -> String {
        let text = String(decoding: body.prefix(4096), as: UTF8.self)
        var words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if let json = RawJSON(text), let error = json["error"]?.stringValue {
            words = json["cause"]?.stringValue.map { "\(error): \($0)" } ?? error
        }
        return "HTTP \(status)" + (words.isEmpty ? "" : ": " + words.prefix(longestErrorText))
    }
}

extension Collection<UInt8> where Self: BidirectionalCollection {
    /// Whether the bytes end with these.
    func ends(with end: some BidirectionalCollection<UInt8>) -> Bool {
        reversed().starts(with: end.reversed())
    }
}
