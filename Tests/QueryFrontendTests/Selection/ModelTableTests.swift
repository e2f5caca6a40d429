import Testing

@testable import QueryFrontend

@Suite("What policies keep of models that come and go")
struct ModelTableTests {
    @Test("However often challengers come and go, a champion keeps its place, and no weight grows without end")
    func challengers() {
        var weights = LearnedWeights()
        for number in 0..<300 {
            weights.update(steps: [0, 1], of: ["champion", "challenger-\(number)"], share: 0, keepsUnseen: false)
        }
        let shares = weights.shares(of: ["champion", "challenger-299"])
        #expect(shares[0] > 0.7)
        #expect(weights.weights.entries.allSatisfy { $0.value < 3 })
    }

    @Test("A model that is linked later begins with the mean of the others, also where they were one")
    func late() {
        var weights = LearnedWeights()
        weights.update(steps: [3], of: ["first"], share: 0, keepsUnseen: false)
        weights.update(steps: [0, 0], of: ["first", "second"], share: 0, keepsUnseen: false)
        #expect(weights.shares(of: ["first", "second"]) == [0.5, 0.5])
    }

    @Test("A champion that is away while the others are worth nothing is still the champion when it is back")
    func outgrown() {
        var weights = LearnedWeights()
        for _ in 0..<10 { weights.update(steps: [20, 0], of: ["a", "b"], share: 0, keepsUnseen: false) }
        weights.update(steps: [0], of: ["a"], share: 0, keepsUnseen: false)
        #expect(weights.shares(of: ["a", "b"])[1] > 0.999)
    }

    @Test("A model that is always wrong comes to nothing, and not through nothing to what is usual")
    func vanishes() {
        var weights = LearnedWeights()
        var largest = 0.0
        for _ in 0..<100 {
            weights.update(steps: [20, 0], of: ["a", "b"], share: 0, keepsUnseen: false)
            largest = max(largest, weights.shares(of: ["a", "b"])[0])
        }
        #expect(largest < 1e-8)
    }

    @Test("A model that is away keeps its place among those that stay")
    func away() {
        var weights = LearnedWeights()
        weights.update(steps: [0, 1, 2], of: ["a", "b", "c"], share: 0, keepsUnseen: false)
        let before = weights.shares(of: ["a", "b", "c"])
        for _ in 0..<10 { weights.update(steps: [0, 0], of: ["b", "c"], share: 0, keepsUnseen: false) }
        for (old, new) in zip(before, weights.shares(of: ["a", "b", "c"])) { #expect(abs(old - new) < 1e-9) }
    }

    @Test("Of models that are gone some are remembered, and not all that ever were")
    func forgets() {
        var table = ModelTable<Int>()
        for number in 0..<256 { table["\(number)"] = number }
        table.forgetOthers(than: ["0", "1"])
        #expect(table.entries.count == 256)
        table["256"] = 256
        table.forgetOthers(than: ["0", "256"])
        #expect(table.entries.map(\.model) == ["0", "256"])
    }
}
