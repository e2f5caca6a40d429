import ContainerRPC
import Testing

@testable import ContainerConformance

@Suite struct BatchBookTests {
    @Test func `an answer settles its batch`() throws {
        var book = BatchBook()
        book.sent(7, inputs: 2)
        #expect(book.waiting == 1)
        try book.take(response(7, 2))
        #expect(book.waiting == 0)
        #expect(book.answers.map(\.id) == [7])
    }

    @Test func `a failure settles its batch, whatever its size`() throws {
        var book = BatchBook()
        book.sent(7, inputs: 2)
        try book.take(BatchFailure(id: 7, code: .modelError))
        #expect(book.waiting == 0)
    }

    @Test func `two batches with one id are due two answers`() throws {
        var book = BatchBook()
        book.sent(7, inputs: 1)
        book.sent(7, inputs: 1)
        try book.take(response(7, 1))
        #expect(book.waiting == 1)
        try book.take(response(7, 1))
        #expect(book.waiting == 0)
    }

    @Test func `an answer too many is a fault`() throws {
        var book = BatchBook()
        book.sent(7, inputs: 1)
        try book.take(response(7, 1))
        expectFault("one answer to batch 7") { try book.take(response(7, 1)) }
    }

    @Test func `an answer with another id is a fault that names those in flight`() {
        var book = BatchBook()
        book.sent(7, inputs: 1)
        expectFault("(7), but an answer has the id 8") { try book.take(response(8, 1)) }
    }

    @Test func `an answer with another number of outputs is a fault with both numbers`() {
        var book = BatchBook()
        book.sent(7, inputs: 3)
        expectFault("expected 3 outputs for batch 7 of 3 inputs, but the response has 2") {
            try book.take(response(7, 2))
        }
    }

    @Test func `batches from before a question for metadata may be answered until the metadata come, and not after`()
        throws
    {
        var book = BatchBook()
        book.sent(7, inputs: 1)
        book.sent(8, inputs: 1)
        book.doom()
        book.sent(9, inputs: 1)
        #expect(book.waiting == 1)
        try book.take(response(7, 1))
        book.forget()
        expectFault("which it must not answer (any more)") { try book.take(response(8, 1)) }
        try book.take(response(9, 1))
        #expect(book.waiting == 0)
    }

    @Test func `a batch that was in hand when its session ended must not be answered in the next`() throws {
        var book = BatchBook()
        book.sent(7, inputs: 1)
        book.doom()
        book.sent(8, inputs: 1)
        book.endSession()
        #expect(book.waiting == 0 && !book.isAsked)
        book.sent(9, inputs: 1)
        for id: UInt32 in [7, 8] {
            #expect(book.isOrphan(id))
            expectFault("no answer to batch \(id), whose session has ended") { try book.take(response(id, 1)) }
        }
        try book.take(response(9, 1))
    }

    @Test func `an id may be used again in the next session`() throws {
        var book = BatchBook()
        book.sent(7, inputs: 1)
        book.endSession()
        book.sent(7, inputs: 1)
        try book.take(response(7, 1))
    }

    private func response(_ id: UInt32, _ outputs: Int) -> PredictResponse {
        PredictResponse(id: id, outputs: Outputs((0..<outputs).map { "\($0)" }))
    }

    private func expectFault(_ part: String, _ body: () throws -> Void) {
        let fault = #expect(throws: Fault.self) { try body() }
        #expect(fault?.description.contains(part) == true, "\(String(describing: fault))")
    }
}
