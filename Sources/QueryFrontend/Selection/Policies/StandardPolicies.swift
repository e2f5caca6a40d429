extension SelectionPolicies {
    /// All policies that the frontend comes with, by the names and parameters that applications are registered with.
    public static let standard: SelectionPolicies = {
        var policies = SelectionPolicies()
        policies.addFixed()
        policies.addBandits()
        policies.addEnsembles()
        return policies
    }()

    private mutating func addFixed() {
        add("DefaultOutputSelectionPolicy") { parameters throws(Problem) in
            try parameters.refuseNames(except: [])
            return DefaultOutputSelectionPolicy()
        }
        add("weighted") { parameters throws(Problem) in
            try WeightedPolicy(percentages: try parameters.numbers(in: 0...100))
        }
    }

    private mutating func addBandits() {
        add("epsilonGreedy") { parameters throws(Problem) in
            try parameters.refuseNames(except: ["epsilon"])
            return EpsilonGreedyPolicy(epsilon: try parameters.number("epsilon", default: 0.1, in: 0...1))
        }
        add("ucb1") { parameters throws(Problem) in
            try parameters.refuseNames(except: [])
            return UCB1Policy()
        }
        add("thompson") { parameters throws(Problem) in
            try parameters.refuseNames(except: [])
            return ThompsonPolicy()
        }
        add("exp3") { parameters throws(Problem) in
            try parameters.refuseNames(except: ["exploration", "learningRate", "share"])
            let standard = Exp3Policy()
            return Exp3Policy(
                learningRate: try parameters.number("learningRate", default: standard.learningRate, in: 0...1),
                exploration: try parameters.number("exploration", default: standard.exploration, in: 0...1),
                share: try parameters.number("share", default: standard.share, in: 0...0.5))
        }
    }

    private mutating func addEnsembles() {
        add("majority") { parameters throws(Problem) in
            try parameters.refuseNames(except: [])
            return MajorityPolicy()
        }
        add("mean") { parameters throws(Problem) in
            try parameters.refuseNames(except: ["tolerance"])
            return MeanPolicy(tolerance: try parameters.number("tolerance", default: 0.1, in: 0...1))
        }
        add("median") { parameters throws(Problem) in
            try parameters.refuseNames(except: ["tolerance"])
            return MedianPolicy(tolerance: try parameters.number("tolerance", default: 0.1, in: 0...1))
        }
        add("weightedMean") { parameters throws(Problem) in
            WeightedMeanPolicy(weights: try parameters.numbers(in: 0...WeightedMeanPolicy.largestWeight))
        }
        add("exp4") { parameters throws(Problem) in
            try parameters.refuseNames(except: ["learningRate", "share"])
            let standard = Exp4Policy()
            return Exp4Policy(
                learningRate: try parameters.number("learningRate", default: standard.learningRate, in: 0...1),
                share: try parameters.number("share", default: standard.share, in: 0...0.5))
        }
    }
}
