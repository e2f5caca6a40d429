/// The answer that has the most weight behind it.
enum Vote {
    /// Groups answers that agree; the first of the heaviest group is the output. Of groups as heavy the one with the
    /// earlier answer wins. Members without an answer count only in the confidence.
    ///
    /// - Parameter weights: one for each member, none negative.
    static func combine(_ answers: SelectionAnswers, weights: [Double]) -> Combination {
        var groups: [(output: ModelOutput, place: Int, weight: Double)] = []
        var all = 0.0
        for (place, output) in answers.outputs.enumerated() {
            all += weights[place]
            guard let output else { continue }
            if let group = groups.firstIndex(where: { $0.output.agrees(with: output) }) {
                groups[group].weight += weights[place]
            } else {
                groups.append((output, place, weights[place]))
            }
        }
        guard var winner = groups.first else { return answers.first }
        for group in groups.dropFirst() where group.weight > winner.weight { winner = group }
        return Combination(.answer(winner.place), confidence: all > 0 ? min(1, winner.weight / all) : 0)
    }
}

/// All models answer, and the answer that most of them give is the output; of answers given as often, that of the model
/// that was linked first.
///
/// The confidence is the share of all models that gave it.
struct MajorityPolicy: SelectionPolicy {
    func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(allOf: query)
    }

    func combine(_ answers: SelectionAnswers, state: NoState) -> Combination {
        Vote.combine(answers, weights: answers.models.map { _ in 1 })
    }
}
