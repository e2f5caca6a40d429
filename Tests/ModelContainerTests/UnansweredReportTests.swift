import ContainerRPC
import Testing

@testable import ModelContainer

@Suite("Saying that nobody answers")
struct UnansweredReportTests {
    private let start = MonotonicTime(nanoseconds: 0)

    @Test("After two seconds without an answer it is said, once")
    func early() {
        var report = UnansweredReport()
        #expect(report.deadline == nil)
        report.begin(now: start)
        #expect(report.deadline == start + .seconds(2))
        #expect(report.isDue(now: start + .milliseconds(1999)) == false)
        #expect(report.isDue(now: start + .seconds(2)) == true)
        #expect(report.isDue(now: start + .seconds(9)) == false)
        #expect(report.deadline == nil)
    }

    @Test("That nobody knows the name is said once, and not before it is said that nobody answers")
    func unknownName() {
        var report = UnansweredReport()
        report.begin(now: start)
        let early = report.admitsUnknownName()
        let isDue = report.isDue(now: start + .seconds(2))
        let said = (0..<2).map { _ in report.admitsUnknownName() }
        #expect([early, isDue] + said == [false, true, true, false])
        report.noteAnswer()
        report.begin(now: start + .seconds(9))
        let tooEarly = report.admitsUnknownName()
        _ = report.admits(.unanswered, now: start + .seconds(10))
        let again = report.admitsUnknownName()
        #expect(!tooEarly && again)
    }

    @Test("Sessions that follow one another unanswered have no early line each")
    func laterSessions() {
        var report = UnansweredReport()
        report.begin(now: start)
        #expect(report.isDue(now: start + .seconds(2)) == true)
        report.begin(now: start + .seconds(30))
        #expect(report.deadline == nil)
    }

    @Test("A frontend that answers in time is not said to be missing")
    func answered() {
        var report = UnansweredReport()
        report.begin(now: start)
        report.noteAnswer()
        #expect(report.deadline == nil)
        #expect(report.isDue(now: start + .seconds(60)) == false)
    }

    @Test("One that answered and is lost is missed anew")
    func lost() {
        var report = UnansweredReport()
        report.begin(now: start)
        report.noteAnswer()
        report.begin(now: start + .seconds(60))
        #expect(report.isDue(now: start + .seconds(61)) == false)
        #expect(report.isDue(now: start + .seconds(62)) == true)
    }

    @Test("Where sessions end at once, such as at an HTTP port, that is said at first, and each thirty seconds")
    func endsAtOnce() {
        var report = UnansweredReport()
        var said: [Int] = []
        for second in 0..<70 {
            report.begin(now: start + .seconds(second))
            #expect(report.isDue(now: start + .seconds(second)) == false)
            if report.admits(.unanswered, now: start + .seconds(second)) { said.append(second) }
        }
        #expect(said == [0, 30, 60])
    }

    @Test("Each end of a session that was silent for thirty seconds is said")
    func silence() {
        var report = UnansweredReport()
        for session in 0..<5 {
            report.begin(now: start + .seconds(31 * session))
            _ = report.isDue(now: start + .seconds(31 * session + 2))
            #expect(report.admits(.unanswered, now: start + .seconds(31 * session + 30)) == true)
        }
    }

    @Test("Ends for other reasons are all said")
    func otherReasons() {
        var report = UnansweredReport()
        report.begin(now: start)
        #expect(report.admits(.unanswered, now: start) == true)
        for _ in 0..<3 { #expect(report.admits(.disconnected, now: start) == true) }
    }
}
