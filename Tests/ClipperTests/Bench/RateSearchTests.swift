import Testing

@testable import clipper

@Suite("The search for the highest rate")
struct RateSearchTests {
    /// Searches with a server that keeps every rate up to its capacity; gives all rates that were tried.
    private func run(_ search: inout RateSearch, capacity: Double) -> [Double] {
        var tried: [Double] = []
        while let rate = search.next, tried.count < 100 {
            tried.append(rate)
            search.record(kept: rate <= capacity)
        }
        return tried
    }

    @Test("It doubles, then bisects down to the tolerance", arguments: [101.0, 244, 6000, 6399, 50_000])
    func finds(capacity: Double) throws {
        var search = RateSearch(start: 100, stop: 100_000, tolerance: 0.05)
        let tried = run(&search, capacity: capacity)
        let kept = try #require(search.highestKept)
        let missed = try #require(search.lowestMissed)
        #expect(kept <= capacity && capacity < missed)
        #expect(missed <= kept * 1.05)
        #expect(tried.count <= 16)
        #expect(Set(tried).count == tried.count)
    }

    @Test("It begins at the start and doubles while the rates are kept")
    func doubles() {
        var search = RateSearch(start: 100, stop: 100_000, tolerance: 0.05)
        #expect(run(&search, capacity: 350) == [100, 200, 400, 300, 350, 375, 362.5])
    }

    @Test("It halves where already the first rate misses")
    func halves() throws {
        var search = RateSearch(start: 1000, stop: 100_000, tolerance: 0.1)
        let tried = run(&search, capacity: 130)
        #expect(tried.prefix(4) == [1000, 500, 250, 125])
        let kept = try #require(search.highestKept)
        #expect(kept <= 130 && kept * 1.1 >= 130)
    }

    @Test("It does not pass the highest rate allowed, and ends there")
    func stops() {
        var search = RateSearch(start: 100, stop: 500, tolerance: 0.05)
        #expect(run(&search, capacity: .infinity) == [100, 200, 400, 500])
        #expect(search.highestKept == 500)
        #expect(search.lowestMissed == nil)
    }

    @Test("It gives up where not even the lowest rate is kept")
    func givesUp() {
        var search = RateSearch(start: 8, stop: 500, tolerance: 0.05)
        #expect(run(&search, capacity: 0) == [8, 4, 2, 1])
        #expect(search.highestKept == nil)
    }

    @Test("After its end it takes nothing in any more")
    func stays() {
        var search = RateSearch(start: 100, stop: 100, tolerance: 0.05)
        search.record(kept: true)
        let ended = search
        search.record(kept: false)
        #expect(search == ended)
    }
}
