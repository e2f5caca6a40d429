import Testing

@testable import ContainerConformance

@Suite struct GoodbyeBookTests {
    @Test func `a container that is told to stop says goodbye once`() throws {
        var book = GoodbyeBook()
        book.stop()
        try book.came()
        let fault = #expect(throws: Fault.self) { try book.came() }
        #expect(fault?.description.contains("one goodbye in a session") == true)
    }

    @Test func `a goodbye of the frontend's own accord is not answered`() {
        var book = GoodbyeBook()
        book.sent()
        let fault = #expect(throws: Fault.self) { try book.came() }
        #expect(fault?.description.contains("no answer to a goodbye") == true)
    }

    @Test func `goodbyes may cross`() throws {
        var book = GoodbyeBook()
        book.stop()
        book.sent()
        try book.came()
    }

    @Test func `another session may have another goodbye`() throws {
        var book = GoodbyeBook()
        book.stop()
        try book.came()
        book.forget()
        try book.came()
    }
}
