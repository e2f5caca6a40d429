import Testing

@testable import QueryFrontend

@Suite("How much a loss may count for")
struct LossBoundTests {
    /// Twenty pieces of feedback with losses up to 5 have come.
    private func taught() -> LossBound {
        var bound = LossBound()
        for number in 0..<20 {
            let loss = Double(number % 5 + 1)
            #expect(bound.bounded([loss]) == [loss])
        }
        return bound
    }

    @Test("A loss far beyond the usual counts for ten times the largest of late, and is soon forgotten")
    func outlier() throws {
        var bound = taught()
        let counted = try #require(bound.bounded([1e308, 3]).first)
        #expect(counted > 40 && counted <= 50)
        for _ in 0..<500 { _ = bound.bounded([5]) }
        #expect(try #require(bound.bounded([1e308]).first) < 100)
    }

    @Test("Where losses really grow, the bound follows within a few pieces of feedback")
    func follows() {
        var bound = taught()
        for _ in 0..<4 { _ = bound.bounded([10_000]) }
        #expect(bound.bounded([10_000]) == [10_000])
    }

    @Test("At first, and where all was right so far, nothing tells what is much")
    func unknown() {
        var fresh = LossBound()
        #expect(fresh.bounded([1e9]) == [1e9])
        var right = LossBound()
        for _ in 0..<100 { _ = right.bounded([0, 0]) }
        #expect(right.bounded([7]) == [7])
    }

    @Test("Answers that cost nothing tell nothing of what is usual")
    func exactAnswers() {
        var bound = taught()
        for _ in 0..<100_000 { #expect(bound.bounded([0, 0]) == [0, 0]) }
        #expect(bound.bounded([30]) == [30])
    }

    @Test("One beyond all measure among the first is not taken for usual")
    func outlierAtFirst() throws {
        var bound = LossBound()
        _ = bound.bounded([1e300])
        for _ in 0..<19 { _ = bound.bounded([2]) }
        #expect(try #require(bound.bounded([1e300]).first) <= 200)
    }

    @Test("A shadow's loss is bounded likewise, and changes nothing")
    func peeks() {
        let bound = taught()
        #expect(bound.bounded(1e9) == bound.bounded(1e9) && bound.bounded(1e9) < 100)
        #expect(bound.bounded(2) == 2)
    }
}
