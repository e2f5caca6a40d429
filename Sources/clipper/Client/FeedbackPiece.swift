/// One piece of feedback, ready to be sent.
struct FeedbackPiece: Equatable, Sendable {
    /// What it is about.
    enum Subject: Equatable, Sendable {
        /// An input, and what its answer should have been.
        case input(PredictInput, label: RawJSON)
        /// The query of this id, and what its answer should have been.
        case label(queryID: UInt64, RawJSON)
        /// The query of this id, and what its answer was worth: 0 to 1.
        case reward(queryID: UInt64, Double)
    }

    /// What it is about.
    var subject: Subject
    /// Whose state learns from it besides; `nil`: the query's user, if it had one.
    var user: String?
    /// Its own name, under which it counts once.
    var id: String?

    /// The body of the request.
    var body: RawJSON {
        var members: [(String, RawJSON)] = []
        if let user { members.append(("uid", .name(user))) }
        if let id { members.append(("feedback_id", .name(id))) }
        switch subject {
        case .input(let input, let label): members += [("input", input.json), ("label", label)]
        case .label(let queryID, let label): members += [("query_id", .integer(queryID)), ("label", label)]
        case .reward(let queryID, let reward):
            members += [("query_id", .integer(queryID)), ("reward", .number(reward))]
        }
        return .object(members)
    }

    /// A label as it is written on the command line: a number, a JSON string or an array as it is, any other text as a string.
    static func label(_ text: String) -> RawJSON {
        if let json = RawJSON(text), let first = json.text.utf8.first, "[\"-0123456789".utf8.contains(first) {
            json
        } else {
            .string(text)
        }
    }
}
