import Testing

@testable import QueryFrontend

@Suite("Dates of answers")
struct HTTPDateTests {
    @Test("They are what RFC 9110 writes, and follow the time")
    func writes() {
        var date = HTTPDate()
        #expect(date.text(at: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(date.text(at: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(date.text(at: 951_827_696) == "Tue, 29 Feb 2000 12:34:56 GMT")
        #expect(date.text(at: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
