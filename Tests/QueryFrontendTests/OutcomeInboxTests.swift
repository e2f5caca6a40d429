import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Outcomes on their way to an event loop")
struct OutcomeInboxTests {
    private let inbox = OutcomeInbox()

    private func put(_ request: UInt64) -> Bool {
        inbox.put(
            [Delivery(request: request, item: 0, outcome: .defaultOutput(.deadline))], sent: at(.seconds(Int(request))))
    }

    @Test("The event loop is told of the first, and finds what came after it as well")
    func first() {
        #expect(put(1))
        #expect(!put(2))
        let turns = inbox.takeAll()
        #expect(turns.map { $0.deliveries.map(\.request) } == [[1], [2]])
        #expect(turns.map(\.sent) == [at(.seconds(1)), at(.seconds(2))])
    }

    @Test("Once they are taken none is left, and the event loop is told of the next")
    func taken() {
        _ = put(1)
        _ = inbox.takeAll()
        #expect(inbox.takeAll().isEmpty)
        #expect(put(2))
        #expect(inbox.takeAll().count == 1)
    }
}
