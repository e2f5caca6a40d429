import ArgumentParser

/// `clipper update`
struct UpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Tell an application what an answer should have been, or was worth.",
        discussion: """
            Feedback is about an input, or about a query by the id that its answer had. The command ends when what the \
            application's policy has learned from it is on the disk. Several pieces at once: POST /APP/update takes \
            {"updates": [...]}.

              clipper update digits '[0, 0.5, 1]' --label 3 --uid anna
              clipper update digits --query-id 12 --label 3
              clipper update digits --query-id 12 --reward 0.8 --feedback-id f-7
            """)

    @Argument(help: ArgumentHelp("The application's name.", valueName: "app"))
    var application: String

    @Argument(
        help:
            "The input that the feedback is about: a JSON array as it is, any other text as a string; without --query-id."
    )
    var input: String?

    @Option(
        name: .customLong("file"),
        help: ArgumentHelp("A file whose bytes are the input, of type bytes.", valueName: "path"), completion: .file())
    var file: String?

    @Flag(name: .customLong("string"), help: "Send the input as a string, even one that is a JSON array.")
    var takesStrings = false

    @Option(help: ArgumentHelp("The query that the feedback is about: query_id in its answer.", valueName: "id"))
    var queryID: UInt64?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What the answer should have been: a number, an array of numbers, or a text; a text that is a number in quotes, "
                + "as '\"7\"'.", valueName: "label"))
    var label: String?

    @Option(help: ArgumentHelp("With --query-id: what its answer was worth, 0 to 1.", valueName: "reward"))
    var reward: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The user whose state learns from it besides the application's.", valueName: "uid"))
    var uid: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A name of this piece of feedback, which counts once however often it is sent.", valueName: "id"))
    var feedbackID: String?

    @Option(
        help: ArgumentHelp("How long to wait for the answer. (default: 60s)", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var timeout: Duration?

    @OptionGroup var options: QueryOptions

    func validate() throws {
        guard [input != nil, file != nil, queryID != nil].count(where: { $0 }) == 1 else {
            throw ValidationError(
                "Say what the feedback is about: an input, a --file or a --query-id, and one of them.")
        }
        guard !takesStrings || input != nil else {
            throw ValidationError("--string is about an input that is given as text; leave it out.")
        }
        guard (label != nil) != (reward != nil) else { throw ValidationError("Give either --label or --reward.") }
        guard reward == nil || queryID != nil else {
            throw ValidationError("--reward judges the answer to a query; it needs --query-id.")
        }
        guard (0...1).contains(reward ?? 0) else { throw ValidationError("--reward must be 0 to 1.") }
    }

    func run() async throws {
        try await options.run(patience: timeout ?? .seconds(60)) { client in
            let piece = FeedbackPiece(subject: try subject(), user: uid, id: feedbackID)
            let answer = try await client.update(piece, application: application)
            if options.json {
                Terminal.write([RawJSON(answer) == nil ? RawJSON.done(answer).text : answer])
            } else {
                Terminal.write([Printable.text(RawJSON(answer)?["status"]?.stringValue ?? answer)])
            }
        }
    }

    /// What the feedback is about.
    func subject() throws -> FeedbackPiece.Subject {
        if let queryID, let reward { return .reward(queryID: queryID, reward) }
        let label = FeedbackPiece.label(label ?? "")
        if let queryID { return .label(queryID: queryID, label) }
        if let file { return .input(PredictInput(bytes: try InputSource.contents(of: file)), label: label) }
        return .input(PredictInput(text: input ?? "", isString: takesStrings), label: label)
    }
}
