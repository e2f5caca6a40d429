import QueryFrontend

extension Scenario {
    /// An application whose policy chooses among several models, and what its clients do.
    struct Selecting: Sendable {
        var name: String
        var settings: SelectionSettings
        /// The names of the linked models.
        var links: [String]
        var slo: Int64
        var hedging: Hedging?
        /// Requests per second.
        var rate: Double
        /// How many different inputs there are; `nil` if no two queries ask the same.
        var distinctInputs: Int?
        var users: Int
        /// The share of requests that say for whom they are.
        var userShare: Double
        var shorterTimeouts: Double
        /// The share of answers that feedback is sent for.
        var feedbackShare: Double
        /// The share of requests that are feedback of an input's label.
        var labelShare: Double
        /// All of its feedback has an id; others' often has.
        var identifies: Bool
    }

    /// How the store of learned states does.
    struct Store: Sendable {
        var latency: ClosedRange<Int64> = 0...0
        /// The share of its work that takes much longer.
        var slowShare = 0.0
    }

    /// The names of all models, each once.
    var modelNames: [String] {
        models.reduce(into: []) { names, model in
            if !names.contains(model.version.name) { names.append(model.version.name) }
        }
    }

    /// The versions of a model, by their numbers.
    func versions(of name: String) -> [Int] {
        models.indices.filter { models[$0].version.name == name }
    }

    mutating func drawSelecting(from random: inout SeededGenerator) {
        selectorBounds.usersInMemory = random.chance(0.6) ? random.integer(1...3) : 100
        selectorBounds.feedbackQueries = random.chance(0.7) ? 100_000 : random.integer(1...20)
        selectorBounds.feedbackAge = .nanoseconds(
            random.chance(0.8) ? 600 * second : random.nanoseconds(10 * millisecond...200 * millisecond))
        let fastest = random.pick([20 * microsecond, 200 * microsecond, 2 * millisecond])
        store = Store(
            latency: fastest...(fastest * random.nanoseconds(1...10)), slowShare: random.chance(0.3) ? 0.1 : 0)
        for index in 0..<random.integer(1...2) {
            let latency = containers.map(\.latency).max { $0.intercept + $0.slope < $1.intercept + $1.slope }
            guard let latency else { return }
            selecting.append(Selecting(index, modelNames, latency, from: &random))
        }
    }
}

extension Scenario.Selecting {
    fileprivate init(
        _ index: Int, _ names: [String], _ latency: LatencyScenario, from random: inout SeededGenerator
    ) {
        name = "selecting-\(index)"
        identifies = random.chance(0.5)
        links = Self.drawLinks(names, from: &random)
        settings = SelectionSettings(in: names, counts: identifies, from: &random)
        let few = Double(latency.intercept + 4 * latency.slope)
        slo = max(2 * millisecond, Int64(few * random.number(1...10)))
        hedging = random.chance(0.2) ? Hedging(from: &random) : nil
        rate = Double(second) / few * random.pick([0.1, 0.4, 0.8, 1.5])
        distinctInputs = random.chance(0.6) ? nil : random.integer(2...80)
        users = random.integer(1...6)
        userShare = random.pick([0, 0.5, 0.9])
        shorterTimeouts = random.chance(0.3) ? 0.1 : 0
        feedbackShare = random.pick([0.1, 0.5, 0.9])
        labelShare = random.pick([0, 0.1, 0.4])
    }

    static func drawLinks(_ names: [String], from random: inout SeededGenerator) -> [String] {
        var left = names
        var links: [String] = []
        for _ in 0..<random.integer(min(2, names.count)...names.count) {
            links.append(left.remove(at: random.below(left.count)))
        }
        return links
    }
}

extension SelectionSettings {
    /// - Parameter counts: the policy may be the one that counts.
    init(in names: [String], counts: Bool, from random: inout SeededGenerator) {
        self.init()
        policy =
            counts && random.chance(0.5)
            ? PolicyDescription(CountingPolicy.name) : PolicyDescription(drawnFrom: names, from: &random)
        loss = random.chance(0.7) ? .zeroOne : random.pick(Loss.allCases)
        minConfidence = random.chance(0.6) ? 0 : random.pick([0.5, 0.6, 1])
        if random.chance(0.4) { shadows = [random.pick(names)] }
        // What has nothing to choose does not come to the selector.
        if isStandard { shadows = [names[names.count - 1]] }
    }
}

extension PolicyDescription {
    fileprivate init(drawnFrom names: [String], from random: inout SeededGenerator) {
        let policies = SelectionPolicies.standard.names
        self.init(policies[random.below(policies.count)])
        switch name {
        case "weighted":
            var left = 100
            for name in names.dropLast() {
                let part = random.integer(0...left)
                parameters[name] = .number(Double(part))
                left -= part
            }
            parameters[names[names.count - 1]] = .number(Double(left))
        case "weightedMean":
            for name in names where random.chance(0.5) { parameters[name] = .number(Double(random.integer(0...5))) }
        case "epsilonGreedy" where random.chance(0.5):
            parameters["epsilon"] = .number(random.pick([0, 0.5, 1]))
        case "exp3" where random.chance(0.5):
            parameters["learningRate"] = .number(1)
            parameters["exploration"] = .number(random.pick([0, 0.5]))
        case "exp4" where random.chance(0.5):
            parameters["learningRate"] = .number(1)
        default:
            break
        }
    }
}
