/// Answers that are numbers, or arrays of numbers, of one form: what can be put into one number, or one array.
struct NumericAnswers {
    /// The numbers of one answer, with the weight of its model.
    struct Answer {
        var place: Int
        var numbers: [Double]
        var weight: Double
    }

    /// Those that have a weight, in the order of the members.
    let answers: [Answer]
    /// Whether they are arrays.
    let isArray: Bool
    /// The weight of all members, with those that are left out.
    let weightOfAll: Double

    /// The numeric ones of the answers; `nil` where there is none with a weight.
    ///
    /// Where they differ in form, those of the form with the most weight; of forms with as much, the earlier one.
    init?(_ given: SelectionAnswers, weights: [Double]) {
        var forms: [(isArray: Bool, count: Int, weight: Double, answers: [Answer])] = []
        for (place, output) in given.outputs.enumerated() where weights[place] > 0 {
            guard let output, let numbers = output.numbers, !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else {
                continue
            }
            let answer = Answer(place: place, numbers: numbers, weight: weights[place])
            let isArray = output.number == nil
            if let form = forms.firstIndex(where: { $0.isArray == isArray && $0.count == numbers.count }) {
                forms[form].weight += answer.weight
                forms[form].answers.append(answer)
            } else {
                forms.append((isArray, numbers.count, answer.weight, [answer]))
            }
        }
        guard var form = forms.first else { return nil }
        for other in forms.dropFirst() where other.weight > form.weight { form = other }
        answers = form.answers
        isArray = form.isArray
        weightOfAll = weights.reduce(0, +)
    }

    /// The weighted mean, element by element.
    var mean: [Double] {
        let weight = answers.reduce(0) { $0 + $1.weight }
        return elements { place in
            let mean = answers.reduce(0) { $0 + $1.numbers[place] * $1.weight } / weight
            // A sum beyond the largest number is avoided by weights that are parts of one, at the price of a rounding.
            return mean.isFinite ? mean : answers.reduce(0) { $0 + $1.numbers[place] * ($1.weight / weight) }
        }
    }

    /// The median, element by element; of an even number the mean of the two in the middle. Weights do not count.
    var median: [Double] {
        elements { place in
            let sorted = answers.map { $0.numbers[place] }.sorted()
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2
        }
    }

    private func elements(_ value: (Int) -> Double) -> [Double] {
        (answers.first?.numbers.indices ?? 0..<0).map { place in
            // Rounding may lead beyond the largest finite number.
            max(-Double.greatestFiniteMagnitude, min(Double.greatestFiniteMagnitude, value(place)))
        }
    }

    /// The numbers as an output, with the share of all members' weight that agrees.
    ///
    /// - Parameter tolerance: an answer agrees when it is this far away at most, as a share of the larger of both; of
    ///   arrays the means over the elements count.
    func combination(_ center: [Double], tolerance: Double) -> Combination {
        let agreeing = answers.reduce(0) { sum, answer in
            Self.agree(answer.numbers, center, tolerance) ? sum + answer.weight : sum
        }
        // One that alone answered, or just what others make, is given as it came.
        if let same = answers.first(where: { $0.numbers == center }) {
            return Combination(
                .answer(same.place), confidence: min(1, agreeing / weightOfAll), sources: answers.map(\.place))
        }
        // Swift writes the shortest digits that read back as the same number, in a form that JSON takes.
        let texts = center.map { String($0) }
        let text = isArray ? "[\(texts.joined(separator: ","))]" : texts.joined()
        return Combination(
            .text(text), confidence: min(1, agreeing / weightOfAll), sources: answers.map(\.place))
    }

    private static func agree(_ numbers: [Double], _ center: [Double], _ tolerance: Double) -> Bool {
        // Halves and parts, so that no difference and no sum is too large.
        let part = 0.5 / Double(center.count)
        var distance = 0.0
        var size = 0.0
        for (number, center) in zip(numbers, center) {
            distance += abs(number * part - center * part)
            size += max(abs(number), abs(center)) * part
        }
        return distance <= tolerance * size
    }
}
