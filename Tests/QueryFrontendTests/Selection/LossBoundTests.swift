import Testing

@testable import QueryFrontend

@Suite("How much a loss may count for")
struct LossBoundTests {
    /// Twenty pieces of feedback with losses up to 5 have come.
    private func taught() -> LossBound {
        var bound = LossBound()
        for number in 0..<20 { #expect(bound.bounded([Double(number % 6)]) == [Double(number % 6)]) }
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

    @Test("A shadow's loss is bounded likewise, and changes nothing")
    func peeks() {
        let bound = taught()
        #expect(bound.bounded(1e9) == bound.bounded(1e9) && bound.bounded(1e9) < 100)
        #expect(bound.bounded(2) == 2)
    }
}
