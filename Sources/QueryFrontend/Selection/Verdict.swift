/// What one piece of feedback says that answers have cost.
struct Verdict: Sendable {
    let judgement: SelectedFeedback.Judgement
    let loss: Loss
    /// What the application is answered where no model answers.
    let defaultOutput: String
    /// The largest loss that the application's models have had lately; `nil` where nothing has cost anything so far.
    let largestLoss: Double?
    /// An output that a label was compared with lately: what can be compared with it has the right form.
    let comparable: String?

    /// What an answer has cost.
    enum Cost: Hashable {
        /// As measured by the loss.
        case measured(Double)
        /// As much as the worst of late, in its unit: it says nothing of what is usual.
        case charged(Double)

        var value: Double {
            switch self {
            case .measured(let value), .charged(let value): value
            }
        }
    }

    /// What each of a query's models has cost, by their places; `nil` where nothing can be said of one.
    func costs(of query: AnsweredQueries.Answered) -> [Cost?] {
        switch judgement {
        case .label(let label): costs(of: query, label)
        case .reward(let reward): costs(of: query, reward)
        }
    }

    // MARK: Labels

    private func costs(of query: AnsweredQueries.Answered, _ label: Label) -> [Cost?] {
        let hasAnswer = query.hasAnswer
        let compared = query.members.map { $0.output.map { loss.compare(ModelOutput($0), with: label) } }
        // Few need it.
        var ofDefault: Loss.Comparison { loss.compare(ModelOutput(defaultOutput), with: label) }
        let measured = compared.compactMap { $0.flatMap(Self.cost) }
        // Where two have different forms, it is the label's fault, unless it is known to have the right one.
        var isRightForm: Bool {
            !measured.isEmpty || Self.cost(ofDefault) != nil
                || comparable.map { loss.value(of: ModelOutput($0), label: label) != nil } ?? false
        }
        // As much as the worst does, in the losses' unit; without any, in that of right and wrong.
        let worst = max(largestLoss ?? 0, measured.max() ?? 0)
        let charge = worst > 0 ? worst : 1
        return zip(query.members, compared).map { member, comparison in
            switch comparison {
            case .cost(let cost):
                return .measured(cost)
            case .unfitOutput:
                // Worse than the default output, which the application could have used.
                return .charged(max(charge, Self.cost(ofDefault) ?? 0))
            case .mismatch:
                return isRightForm ? .charged(max(charge, Self.cost(ofDefault) ?? 0)) : nil
            case .unfitLabel:
                return nil
            case nil:
                // The default output was given in the place of the only one that was asked, and costs what that would
                // have: else a model that is always too slow would seem to cost nothing, and draw all queries.
                guard !hasAnswer, member.hasFailed else { return nil }
                return switch ofDefault {
                case .cost(let cost): .measured(cost)
                case .unfitOutput: .charged(charge)
                case .mismatch: isRightForm ? .charged(charge) : nil
                case .unfitLabel: nil
                }
            }
        }
    }

    private static func cost(_ comparison: Loss.Comparison) -> Double? {
        if case .cost(let cost) = comparison { cost } else { nil }
    }

    // MARK: Rewards

    /// A reward judges the output that was given. Where that was made of several answers, it judges those that it was made
    /// of. Where it is one of them, it judges those who said the same; of answers that are right or wrong it judges the
    /// others too, the other way round: they are wrong where that was right, and may be right where it was wrong.
    private func costs(of query: AnsweredQueries.Answered, _ reward: Double) -> [Cost?] {
        // From nothing to as much as the worst of late: beside labels, a reward of 0 is to count like one.
        let unit = loss == .zeroOne ? 1 : largestLoss ?? 1
        let cost = Cost.charged((1 - reward) * unit)
        guard query.hasAnswer else { return query.members.map { $0.hasFailed ? cost : nil } }
        switch query.output {
        case .answer(let index):
            guard query.members.indices.contains(index), let text = query.members[index].output else {
                return query.members.map { _ in nil }
            }
            let given = ModelOutput(text)
            return query.members.map { member in
                guard let output = member.output else { return nil }
                if ModelOutput(output).agrees(with: given) { return cost }
                return loss == .zeroOne ? .charged(reward) : nil
            }
        case .text:
            return query.members.map { $0.isCombined ? cost : nil }
        case nil:
            return query.members.map { _ in nil }
        }
    }
}
