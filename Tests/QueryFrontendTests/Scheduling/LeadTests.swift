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
        lead.note(.milliseconds(11), wasSentAhead: false, computeTime: .milliseconds(10))
        #expect(lead.time(of: .milliseconds(10)) == .milliseconds(1))
    }

    @Test("It settles where the container hardly waits: above the way that its batches take, not far above")
    func settles() {
        // A batch waits at the container where the lead is longer than the way; where it is shorter, the container waits.
        let way = Duration.microseconds(800)
        var lead = Lead()
        lead.note(.milliseconds(5), wasSentAhead: false, computeTime: .milliseconds(1))
        var waited = Duration.zero
        for round in 0..<400 {
            let gap = max(.zero, way - lead.time(of: .milliseconds(10)))
            lead.note(.milliseconds(10) + gap, wasSentAhead: true, computeTime: .milliseconds(10))
            if round >= 200 { waited += gap }
        }
        #expect(waited / 200 < .microseconds(60))
        #expect((way * 9 / 10...way * 11 / 10).contains(lead.time(of: .milliseconds(10))))
    }

    @Test("Nothing that a container says makes it longer than 5 ms, or nothing")
    func bounds() {
        var lead = Lead()
        lead.note(.seconds(60), wasSentAhead: true, computeTime: .zero)
        #expect(lead.time(of: .milliseconds(10)) == .milliseconds(5))
        for _ in 0..<1000 { lead.note(.zero, wasSentAhead: true, computeTime: .seconds(60)) }
        #expect(lead.time(of: .milliseconds(10)) == .microseconds(100))
    }
}
