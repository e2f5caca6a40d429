import ArgumentParser
import QueryFrontend

/// The options of an application that can be changed after its registration.
struct ApplicationOptionArguments: ParsableArguments {
    private static let answers = OverloadAnswer.allCases.map(\.rawValue)

    @Option(
        help: ArgumentHelp(
            "What a query is answered that is turned away because there are too many: 'default' (200 with the default "
                + "output and the reason) or 'reject' (503 with Retry-After). A new application's is 'default'.",
            valueName: "answer"),
        completion: .list(answers), transform: { text in try Self.answer(text) })
    var overload: OverloadAnswer?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Send a query to a second replica too when the first is slow; the first answer wins. A new application's \
            queries are not.
            """)
    var hedge: Bool?

    @Option(
        help: ArgumentHelp(
            "With --hedge: a batch is late when it takes longer than this share of its replica's batches. "
                + "(default: \(ShareText.format(Hedging().quantile)))", valueName: "share"),
        transform: { text in try ShareText.parse(text) })
    var hedgeAfter: Double?

    @Option(
        help: ArgumentHelp(
            "With --hedge: the most queries that may be sent twice, as a share of all. "
                + "(default: \(ShareText.format(Hedging().maxExtraWork)))", valueName: "share"),
        transform: { text in try ShareText.parse(text) })
    var hedgeBudget: Double?

    @Option(
        help: ArgumentHelp(
            "How models are chosen and their answers combined: NAME or 'NAME(KEY: VALUE, …)', such as exp3 or "
                + "'weighted(a: 90, b: 10)'; `clipper app set-policy --help` lists the policies.",
            valueName: "policy"),
        completion: .list(PolicyText.names), transform: { text in try PolicyText.parse(text) })
    var policy: PolicyDescription?

    @OptionGroup var selection: SelectionArguments

    func validate() throws {
        for (option, value) in [("--hedge-after", hedgeAfter), ("--hedge-budget", hedgeBudget)]
        where value != nil && hedge != true {
            throw ValidationError("\(option) says how to hedge; it needs --hedge beside it.")
        }
        if let hedgeAfter, hedgeAfter >= 1 { throw ValidationError("--hedge-after must be less than 100%.") }
    }

    /// What was given.
    var options: ApplicationOptions {
        var options = selection.options(policy)
        options.overload = overload
        options.hedging = hedge.map { $0 ? .on(hedging) : .off }
        return options
    }

    private var hedging: Hedging {
        let standard = Hedging()
        return Hedging(
            quantile: hedgeAfter ?? standard.quantile, maxExtraWork: hedgeBudget ?? standard.maxExtraWork)
    }

    private static func answer(_ text: String) throws(ArgumentTextError) -> OverloadAnswer {
        guard let answer = OverloadAnswer(rawValue: text) else {
            throw ArgumentTextError("the answers are \(answers.joined(separator: ", "))")
        }
        return answer
    }
}
