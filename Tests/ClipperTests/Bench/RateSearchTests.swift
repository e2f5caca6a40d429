import Testing

@testable import clipper

@Suite("The search for the highest rate")
struct RateSearchTests {
    private static let goal = RateSearch.Goal(share: 0.99, slo: .milliseconds(20))
    private static let kept = RateSearch.Step(requests: 1000, inside: 1000)
    private static let missed = RateSearch.Step(requests: 1000, inside: 900)

    private func search(
        start: Double = 100, stop: Double = 100_000, tolerance: Double = 0.05, goal: RateSearch.Goal = goal
    ) -> RateSearch {
        RateSearch(start: start, stop: stop, tolerance: tolerance, goal: goal)
    }

    /// Searches with a server that keeps every rate up to its capacity; gives all rates that were tried, the one that is
    /// tried once more after a miss once.
    private func run(_ search: inout RateSearch, capacity: Double) -> [Double] {
        var tried: [Double] = []
        while let rate = search.next, tried.count < 100 {
            tried.append(rate)
            guard case .triedAgain = search.record(rate <= capacity ? Self.kept : Self.missed) else { continue }
            #expect(search.next == rate)
            #expect(search.record(Self.missed) == .missed(isLate: false))
        }
        return tried
    }

    @Test("It doubles, then bisects down to the tolerance", arguments: [101.0, 244, 6000, 6399, 50_000])
    func finds(capacity: Double) throws {
        var search = search()
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
        var search = search()
        #expect(run(&search, capacity: 350) == [100, 200, 400, 300, 350, 375, 362.5])
    }

    @Test("A rate at which not one request is inside the objective is not tried again")
    func hopeless() {
        var search = search()
        #expect(search.record(RateSearch.Step(requests: 1000, inside: 0)) == .missed(isLate: false))
        #expect(search.next == 50)
        #expect(search.record(RateSearch.Step(requests: 9, inside: 0)) == .triedAgain(isLate: false), "too few to tell")
    }

    @Test("It halves where already the first rate misses")
    func halves() throws {
        var search = search(start: 1000, tolerance: 0.1)
        let tried = run(&search, capacity: 130)
        #expect(tried.prefix(4) == [1000, 500, 250, 125])
        let kept = try #require(search.highestKept)
        #expect(kept <= 130 && kept * 1.1 >= 130)
    }

    @Test("It does not pass the highest rate allowed, and ends there")
    func stops() {
        var search = search(stop: 500)
        #expect(run(&search, capacity: .infinity) == [100, 200, 400, 500])
        #expect(search.highestKept == 500)
        #expect(search.lowestMissed == nil)
    }

    @Test("It gives up where not even the lowest rate is kept")
    func givesUp() {
        var search = search(start: 8, stop: 500)
        #expect(run(&search, capacity: 0) == [8, 4, 2, 1])
        #expect(search.highestKept == nil)
    }

    @Test("After its end it takes nothing in any more")
    func stays() {
        var search = search(stop: 100)
        #expect(search.record(Self.kept) == .kept)
        let ended = search
        _ = search.record(Self.missed)
        #expect(search == ended)
    }

    @Test("A rate that misses once and then keeps the goal is kept: a pause of the machine is not the frontend's limit")
    func triesAgain() {
        var search = search()
        #expect(search.record(Self.missed) == .triedAgain(isLate: false))
        #expect(search.next == 100)
        #expect(search.record(Self.kept) == .kept)
        #expect(search.next == 200)
        #expect(search.lowestMissed == nil)
    }

    @Test("A rate at which answers do not keep up is missed, whatever share of them is in time")
    func needsThroughput() {
        var search = search()
        var step = Self.kept
        step.keepsUp = false
        #expect(search.record(step) == .triedAgain(isLate: false))
        #expect(search.record(step) == .missed(isLate: false))
        #expect(search.tooFewRequests == nil)
    }

    @Test("A miss while the generator was late by more than a tenth of the SLO says so, and the result where both were")
    func tellsLag() {
        var search = search()
        var late = Self.missed
        late.lag = .microseconds(2001)
        #expect(search.record(late) == .triedAgain(isLate: true))
        #expect(search.record(Self.missed) == .missed(isLate: false))
        #expect(!search.isGeneratorLate)
        #expect(search.record(Self.missed) == .triedAgain(isLate: false))
        #expect(search.record(late) == .missed(isLate: true))
        #expect(!search.isGeneratorLate)
        #expect(search.record(late) == .triedAgain(isLate: true))
        #expect(search.record(late) == .missed(isLate: true))
        #expect(search.isGeneratorLate)
        // A later miss, lower, is the one that counts then.
        late.lag = .milliseconds(2)
        #expect(search.record(late) == .triedAgain(isLate: false))
        #expect(search.record(late) == .missed(isLate: false))
        #expect(!search.isGeneratorLate)
    }

    @Test("A share that is just met is kept, one request fewer is not", arguments: 1...99)
    func judgesShares(percent: Int) {
        let goal = RateSearch.Goal(share: Double(percent) / 100, slo: .seconds(1))
        for requests in [100, 1_000_000] {
            let inside = percent * requests / 100
            #expect(goal.isKept(inside: inside, of: requests))
            #expect(!goal.isKept(inside: inside - 1, of: requests))
        }
        #expect(!goal.isKept(inside: 0, of: 0))
    }

    @Test(
        "A goal needs so many requests that ten may miss",
        arguments: [(0.99, 1000), (0.999, 10_000), (0.5, 20), (1, nil)])
    func needs(share: Double, requests: Int?) {
        #expect(RateSearch.Goal(share: share, slo: .seconds(1)).requestsNeeded == requests)
    }

    @Test("A result that rests on fewer requests says on how many")
    func tellsTooFew() {
        let goal = RateSearch.Goal(share: 0.999, slo: .milliseconds(20))
        var few = search(start: 5, stop: 10, goal: goal)
        #expect(few.record(RateSearch.Step(requests: 6, inside: 6)) == .kept)
        #expect(few.tooFewRequests == 6)
        #expect(few.record(RateSearch.Step(requests: 14, inside: 14)) == .kept)
        #expect(few.next == nil)
        #expect(few.tooFewRequests == 14)
        var enough = search(start: 10, stop: 10, goal: goal)
        #expect(enough.record(RateSearch.Step(requests: 9000, inside: 9000)) == .kept)
        #expect(enough.tooFewRequests == nil)
        var all = search(stop: 100, goal: RateSearch.Goal(share: 1, slo: .seconds(1)))
        #expect(all.record(RateSearch.Step(requests: 1_000_000, inside: 1_000_000)) == .kept)
        #expect(all.tooFewRequests == 1_000_000)
    }

    @Test("One late answer of a few makes no limit, many do")
    func tellsTooFewMisses() {
        var search = search(start: 100)
        for _ in 0..<2 { _ = search.record(RateSearch.Step(requests: 50, inside: 49)) }
        #expect(search.tooFewRequests == 50)
        for _ in 0..<2 { _ = search.record(RateSearch.Step(requests: 50, inside: 40)) }
        #expect(search.tooFewRequests == nil)
    }

    @Test("A step lasts until it has the requests that it needs, but no longer than a minute")
    func lasts() {
        let search = search()
        #expect(search.duration(at: 1000, usual: .seconds(10)) == .seconds(10))
        #expect(search.duration(at: 40, usual: .seconds(10)) == .seconds(25))
        #expect(search.duration(at: 1, usual: .seconds(10)) == .seconds(60))
    }
}
