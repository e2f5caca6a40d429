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
        lead.note(.milliseconds(11), ahead: nil, computeTime: .milliseconds(10))
        #expect(lead.time(of: .milliseconds(10)) == .milliseconds(1))
    }

    /// A container that takes its time from one batch to the next, and ends by chance sooner or later than expected.
    private struct Container {
        var way = Duration.microseconds(800)
        var turn = Duration.zero
        var chance = Duration.microseconds(200)
        var generator = SeededGenerator(seed: 1)

        /// What the container waits for the next batch.
        mutating func serve(_ lead: inout Lead) -> Duration {
            let error = chance * Double.random(in: -1...1, using: &generator)
            let ahead = max(.zero, lead.time(of: .milliseconds(10)) + error)
            let gap = max(.zero, way - ahead)
            lead.note(.milliseconds(10) + turn + gap, ahead: ahead, computeTime: .milliseconds(10))
            return gap
        }
    }

    @Test(
        "It settles where the container hardly waits: above the way that batches take, not far above",
        arguments: [.zero, .microseconds(80), .milliseconds(1)] as [Duration], [200, 800, 2500])
    func settles(turn: Duration, way: Int) {
        var container = Container(way: .microseconds(way), turn: turn)
        var lead = Lead()
        lead.note(.milliseconds(12), ahead: nil, computeTime: .milliseconds(10))
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

    @Test("A way that grows or shrinks is followed")
    func follows() {
        var container = Container()
        var lead = Lead()
        for way in [800, 2000, 400] {
            container.way = .microseconds(way)
            for _ in 0..<2000 { _ = container.serve(&lead) }
            #expect((container.way...container.way + .microseconds(400)).contains(lead.time(of: .milliseconds(10))))
        }
    }

    @Test("Nothing that a container says makes it longer than 5 ms, or nothing, or stays for good")
    func bounds() {
        var lead = Lead()
        for _ in 0..<1000 { lead.note(.seconds(60), ahead: .zero, computeTime: .zero) }
        #expect(lead.time(of: .milliseconds(10)) == .milliseconds(5))
        for _ in 0..<1000 { lead.note(.zero, ahead: .milliseconds(5), computeTime: .seconds(60)) }
        for _ in 0..<1000 { lead.note(.zero, ahead: nil, computeTime: .seconds(60)) }
        #expect(lead.time(of: .milliseconds(10)) == .microseconds(100))
        var container = Container()
        for _ in 0..<2000 { _ = container.serve(&lead) }
        #expect((.microseconds(700)...Duration.microseconds(1200)).contains(lead.time(of: .milliseconds(10))))
    }
}
