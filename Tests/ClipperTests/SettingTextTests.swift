import QueryFrontend
import Testing

@testable import clipper

@Suite("Shares on the command line")
struct ShareTextTests {
    @Test(
        "A percentage and a fraction are the same share, exactly",
        arguments: [
            ("95%", 0.95), ("0.95", 0.95), ("99.9%", 0.999), ("5%", 0.05), ("7%", 0.07), ("100%", 1), ("1", 1),
            ("0.001%", 0.00001),
        ])
    func parses(text: String, share: Double) throws {
        #expect(try ShareText.parse(text) == share)
    }

    @Test(
        "What is no share of more than 0 and at most 1 is refused",
        arguments: [
            "", "%", "0", "0%", "101%", "1.01", "-5%", "95 %", "95%%", "p95", "1e-1", "nan", ".", "0.9.5", "5,5%",
        ])
    func refuses(text: String) {
        #expect(throws: ArgumentTextError.self) { try ShareText.parse(text) }
    }

    @Test("A forgotten percent sign is pointed out")
    func pointsOutPercent() {
        let error = #expect(throws: ArgumentTextError.self) { try ShareText.parse("95") }
        #expect(error?.description == "at most 1 is allowed; write 95% for a percentage")
    }

    @Test(
        "A share is written as a percentage",
        arguments: [(0.95, "95%"), (0.999, "99.9%"), (0.07, "7%"), (1, "100%"), (0.05, "5%"), (.nan, "-")])
    func formats(share: Double, text: String) {
        #expect(ShareText.format(share) == text)
    }
}

@Suite("Batching on the command line")
struct BatchingTextTests {
    @Test(
        "A policy is read, with its numbers or the usual ones",
        arguments: [
            ("deadline", .deadline), ("aimd", .aimd(increase: 2, backoff: 0.9)),
            ("aimd(4)", .aimd(increase: 4, backoff: 0.9)), ("aimd(4,0.5)", .aimd(increase: 4, backoff: 0.5)),
            ("aimd( 4 , 0.5 )", .aimd(increase: 4, backoff: 0.5)), ("fixed(64)", .fixed(64)), ("64", .fixed(64)),
        ] as [(String, Batching.Limit)])
    func parses(text: String, limit: Batching.Limit) throws {
        #expect(try BatchingText.parse(text) == limit)
    }

    @Test(
        "What is no policy is refused",
        arguments: [
            "", "best", "Deadline", "deadline()", "deadline(1)", "aimd()", "aimd(4", "aimd(4,0.9,1)", "aimd(0)",
            "aimd(4,1)", "aimd(4,0)", "aimd(4,)", "aimd(,0.9)", "aimd4", "fixed", "fixed()", "fixed(0)", "fixed(-1)",
            "fixed(1,2)", "0", "-1", "6.5", "64)", "99999999999999999999",
        ])
    func refuses(text: String) {
        #expect(throws: ArgumentTextError.self) { try BatchingText.parse(text) }
    }

    @Test(
        "What is written is read as the same",
        arguments: [.deadline, .aimd(increase: 3, backoff: 0.85), .fixed(100)] as [Batching.Limit])
    func roundTrips(limit: Batching.Limit) throws {
        #expect(try BatchingText.parse(BatchingText.format(limit)) == limit)
    }
}
