import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("How long before its replica is free a batch is sent")
struct LeadTests {
    @Test("Of a container that tells nothing it is a fifth of the batch, within bounds")
    func presumed() {
        let lead = Lead()
        #expect(lead.time(of: .milliseconds(5)) == .milliseconds(1))
        #expect(lead.time(of: .milliseconds(1)) == .microseconds(500))
        #expect(lead.time(of: .seconds(1)) == .milliseconds(2))
    }

    @Test("It begins with what a batch takes on its way to an idle container and back")
    func wayThereAndBack() {
        var lead = Lead()
        lead.note(.milliseconds(11), ahead: .zero, waited: .zero, computeTime: .milliseconds(10))
        #expect(lead.time(of: .milliseconds(10)) == .milliseconds(1))
    }

    /// A container that takes its time from one batch to the next, and ends by chance sooner or later than expected.
    private struct Container {
        var way = Duration.microseconds(800)
        var turn = Duration.zero
        var chance = Duration.microseconds(200)
        var generator = SplitMix64(seed: 1)

        /// What the container waits for the next batch.
        mutating func serve(_ lead: inout Lead) -> Duration {
            let error = chance * Double.random(in: -1...1, using: &generator)
            let ahead = max(.zero, lead.time(of: .milliseconds(10)) + error)
            let gap = max(.zero, way - ahead)
            lead.note(
                .milliseconds(10) + turn + gap, ahead: ahead, waited: .milliseconds(10), computeTime: .milliseconds(10))
            return gap
        }
    }

    @Test(
        "It settles where the container hardly waits: above the way that batches take, not far above",
        arguments: [.zero, .microseconds(80), .milliseconds(1)] as [Duration], [200, 800, 2500])
    func settles(turn: Duration, way: Int) {
        var container = Container(way: .microseconds(way), turn: turn)
        var lead = Lead()
        lead.note(.milliseconds(12), ahead: .zero, waited: .zero, computeTime: .milliseconds(10))
        for _ in 0..<2000 { _ = container.serve(&lead) }
        var waited = Duration.zero
        var leads = Duration.zero
        for _ in 0..<500 {
            waited += container.serve(&lead)
            leads += lead.time(of: .milliseconds(10))
        }
        #expect(waited / 500 < .microseconds(40))
        #expect((container.way...container.way + .microseconds(300)).contains(leads / 500))
    }

    @Test(
        "A way that grows or shrinks is followed, where the ends of batches are foreseen well and less well",
        arguments: [100, 200, 500])
    func follows(chance: Int) {
        var container = Container(chance: .microseconds(chance))
        var lead = Lead()
        for way in [800, 2000, 400] {
            container.way = .microseconds(way)
            for _ in 0..<2000 { _ = container.serve(&lead) }
            let most = container.way + .microseconds(400 + chance)
            #expect((container.way...most).contains(lead.time(of: .milliseconds(10))))
        }
    }

    @Test("A batch whose queries came too late to be sent ahead does not make it longer")
    func lateQueries() {
        let way = Duration.microseconds(800)
        var generator = SplitMix64(seed: 1)
        var lead = Lead()
        for _ in 0..<2000 {
            let ahead = way * Double.random(in: 0..<1, using: &generator)
            lead.note(.milliseconds(10) + way - ahead, ahead: ahead, waited: ahead, computeTime: .milliseconds(10))
        }
        #expect((way * 0.9...way * 1.1).contains(lead.time(of: .milliseconds(10))))
    }

    @Test(
        "Of a container that is far away it is as long as it can be",
        arguments: [.zero, .milliseconds(6)] as [Duration])
    func farAway(turn: Duration) {
        var container = Container(way: .milliseconds(10), turn: turn)
        var lead = Lead()
        for _ in 0..<500 { _ = container.serve(&lead) }
        #expect(lead.time(of: .milliseconds(10)) == .milliseconds(5))
    }

    @Test("Nothing that a container says makes it longer than 5 ms, or nothing, or stays for good")
    func bounds() {
        var lead = Lead()
        for _ in 0..<1000 { lead.note(.seconds(60), ahead: .zero, waited: .seconds(60), computeTime: .zero) }
        #expect(lead.time(of: .milliseconds(10)) == .milliseconds(5))
        for _ in 0..<20_000 {
            lead.note(.zero, ahead: .milliseconds(5), waited: .seconds(60), computeTime: .seconds(60))
            lead.note(.zero, ahead: .zero, waited: .zero, computeTime: .seconds(60))
        }
        #expect(lead.time(of: .milliseconds(10)) == .microseconds(100))
        var container = Container()
        for _ in 0..<2000 { _ = container.serve(&lead) }
        #expect((.microseconds(700)...Duration.microseconds(1200)).contains(lead.time(of: .milliseconds(10))))
    }
}
