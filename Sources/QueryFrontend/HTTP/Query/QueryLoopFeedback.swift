import ContainerRPC
import NIOCore
import NIOHTTP1

/// A request with feedback that waits until what it taught is durable.
struct PendingFeedback {
    let handler: QueryHandler
    let route: Route
    let isBatch: Bool
    /// The pieces that were handed over, by their places.
    var pieces: [Int: FeedbackBody.Piece] = [:]
    /// What becomes of each piece; `nil` while that is open.
    var answers: [FeedbackAnswer?]
    var missing: Int
}

/// What became of one piece of feedback, as it is told.
struct FeedbackAnswer {
    /// What the piece was; `nil` where it could not be read.
    let piece: FeedbackBody.Piece?
    let status: HTTPResponseStatus
    /// "counted" or "duplicate"; else what went wrong.
    let text: String
    /// Why it went wrong; `nil` where it did not.
    var cause: String?

    private init(_ piece: FeedbackBody.Piece?, _ status: HTTPResponseStatus, _ text: String, _ cause: String?) {
        self.piece = piece
        self.status = status
        self.text = text
        self.cause = cause
    }

    /// A piece that could not be read.
    init(_ problem: PredictBodyParser.Problem) {
        self.init(nil, .badRequest, "Json error", problem.cause)
    }

    /// What became of a piece.
    init(_ piece: FeedbackBody.Piece, _ result: FeedbackResult, route: Route) {
        switch result {
        case .counted:
            self.init(piece, .ok, "counted", nil)
        case .duplicate:
            self.init(piece, .ok, "duplicate", nil)
        case .unknownQuery:
            self.init(
                piece, .notFound, "Unknown query",
                "No query \(piece.queryID) of application '\(route.name)' is known, or it is too long ago for feedback")
        case .noAnswer where piece.queryID.isEmpty:
            self.init(
                piece, .serviceUnavailable, "No answer",
                "No model has answered the input, so that nothing could be learned")
        case .noAnswer:
            self.init(
                piece, .conflict, "No answer",
                "No model had answered query \(piece.queryID), so that there is nothing to learn")
        case .incomparable:
            self.init(
                piece, .badRequest, "Label error",
                "What was said cannot be compared with what the models answered: the application's loss is "
                    + "'\(route.loss.rawValue)'")
        case .noOutput:
            self.init(
                piece, .conflict, "No output",
                "Query \(piece.queryID) got the default output, which a reward cannot judge; send a label")
        case .notDurable(let reason):
            self.init(piece, .serviceUnavailable, "Store error", "Nothing was learned: \(reason)")
        case .notLearning where route.learns:
            self.init(
                piece, .badRequest, "Nothing to learn",
                "Application '\(route.name)' was deleted while the feedback was under way, or was given a policy that does "
                    + "not learn")
        case .notLearning:
            self.init(
                piece, .badRequest, "Nothing to learn",
                "Application '\(route.name)' has no policy that learns; `clipper app set-policy` gives it one")
        case .stopping:
            self.init(piece, .serviceUnavailable, "Stopping", "Nothing was learned: the query frontend is stopping")
        }
    }

    /// The answer to a request of this one piece.
    var reply: QueryReply {
        if let cause { return .error(status, text, cause: cause) }
        // Clipper's clients expect Clipper's words; what it has no word for is told as JSON.
        if piece?.id == nil, piece?.queryID == "" { return .text(.ok, "Feedback received? 1") }
        return QueryReply(status: .ok, body: ByteBuffer(string: "{\"status\":\"\(text)\"}"))
    }

    /// Writes the answer as one of several.
    func write(to body: inout ByteBuffer) {
        guard let cause else {
            body.writeString("{\"status\":\"\(text)\"}")
            return
        }
        body.writeStaticString("{\"status\":\"failed\",\"error\":")
        body.writeJSONString(text.utf8)
        body.writeStaticString(",\"cause\":")
        body.writeJSONString(cause.utf8)
        body.writeStaticString("}")
    }
}

extension FeedbackBody.Piece {
    /// The id of the query that it judges; empty where it brings an input.
    fileprivate var queryID: String {
        if case .query(let id, _) = subject { String(id) } else { "" }
    }

    /// Why its label cannot be measured by a loss, whatever the models answer.
    fileprivate func problem(with loss: Loss) -> PredictBodyParser.Problem? {
        let label: Label
        switch subject {
        case .input(_, let given), .query(_, .label(let given)): label = given
        case .query(_, .reward): return nil
        }
        guard loss == .absolute || loss == .squared, label.numbers == nil else { return nil }
        return PredictBodyParser.Problem(
            cause: "label: expected a number or an array of numbers, because the application's loss is "
                + "'\(loss.rawValue)', found something else")
    }
}

extension QueryLoop {
    /// Models that are asked for feedback's sake have at least so long: there is no hurry, and queries go first.
    static let leastFeedbackTime = Duration.seconds(5)

    /// Hands feedback over; the handler gets the answer once what it taught is durable.
    func submit(_ body: FeedbackBody, route: Route, arrived: MonotonicTime, handler: QueryHandler) {
        let request = nextRequest
        nextRequest += 1
        var pending = PendingFeedback(
            handler: handler, route: route, isBatch: body.isBatch,
            answers: Array(repeating: nil, count: body.pieces.count), missing: body.pieces.count)
        var submitted: [SelectedFeedback] = []
        for (item, piece) in body.pieces.enumerated() {
            let answer: FeedbackAnswer
            switch piece {
            case .failure(let problem):
                answer = FeedbackAnswer(problem)
            case .success(let piece):
                if !route.learns {
                    // Clipper takes an input with its label, and does nothing with it.
                    let isClippers = !body.isBatch && piece.queryID.isEmpty
                    answer = FeedbackAnswer(piece, isClippers ? .counted : .notLearning, route: route)
                } else if let problem = piece.problem(with: route.loss) {
                    answer = FeedbackAnswer(problem)
                } else {
                    let waiter = Waiter(
                        ticket: Ticket(sink: sink, request: request, item: item), application: route.handle,
                        arrived: arrived, deadline: arrived + max(route.slo, Self.leastFeedbackTime))
                    submitted.append(
                        SelectedFeedback(
                            waiter: waiter, subject: piece.subject, inputType: route.inputType, user: piece.user,
                            id: piece.id))
                    pending.pieces[item] = piece
                    continue
                }
            }
            pending.answers[item] = answer
            pending.missing -= 1
        }
        guard pending.missing > 0 else { return handler.answer(held(pending.reply, of: route)) }
        pendingFeedback[request] = pending
        if !dispatcher.submit(submitted) {
            acknowledge(
                submitted.map { SelectorEffects.Acknowledgement(ticket: $0.waiter.ticket, result: .stopping) })
        }
    }

    /// What became of feedback has come.
    func acknowledge(_ acknowledgements: [SelectorEffects.Acknowledgement]) {
        for acknowledgement in acknowledgements {
            let request = acknowledgement.ticket.request
            pendingFeedback[request]?.note(acknowledgement)
            guard pendingFeedback[request]?.missing == 0, let pending = pendingFeedback.removeValue(forKey: request)
            else { continue }
            pending.handler.answer(held(pending.reply, of: pending.route))
        }
    }
}

extension PendingFeedback {
    fileprivate mutating func note(_ acknowledgement: SelectorEffects.Acknowledgement) {
        let item = acknowledgement.ticket.item
        guard let piece = pieces[item] else { return }
        answers[item] = FeedbackAnswer(piece, acknowledgement.result, route: route)
        missing -= 1
    }

    fileprivate var reply: QueryReply {
        guard isBatch else { return answers[0]?.reply ?? .text(.ok, "") }
        var body = ByteBuffer()
        body.writeStaticString("{\"updates\":[")
        for (index, answer) in answers.enumerated() {
            if index > 0 { body.writeStaticString(",") }
            answer?.write(to: &body)
        }
        body.writeStaticString("]}")
        return QueryReply(status: .ok, body: body)
    }
}
