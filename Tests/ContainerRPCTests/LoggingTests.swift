import Testing

@testable import ContainerRPC

@Suite("The limit of log lines")
struct LogLimitTests {
    private func at(_ time: Duration) -> MonotonicTime { MonotonicTime(nanoseconds: 0) + time }

    @Test("One line passes in each interval, and tells how many did not")
    func limits() {
        var limit = LogLimit(interval: .seconds(1))
        #expect(limit.admit(now: at(.zero)) == 0)
        for millisecond in 1...7 { #expect(limit.admit(now: at(.milliseconds(millisecond))) == nil) }
        #expect(limit.admit(now: at(.milliseconds(999))) == nil)
        #expect(limit.admit(now: at(.seconds(1))) == 8)
        #expect(limit.admit(now: at(.milliseconds(1500))) == nil)
        #expect(limit.admit(now: at(.seconds(9))) == 1)
        #expect(limit.admit(now: at(.seconds(10))) == 0)
    }

    @Test("After a pause as many lines as a burst has may come at once, and then one in each interval")
    func bursts() {
        var limit = LogLimit(interval: .seconds(1), burst: 3)
        let first = (0..<5).map { _ in limit.admit(now: at(.seconds(100))) }
        #expect(first == [0, 0, 0, nil, nil])
        #expect(limit.admit(now: at(.milliseconds(100_900))) == nil)
        #expect(limit.admit(now: at(.seconds(101))) == 3)
        #expect(limit.admit(now: at(.seconds(101))) == nil)
        let later = (0..<4).map { _ in limit.admit(now: at(.seconds(200))) }
        #expect(later == [1, 0, 0, nil])
    }
}

@Suite("What containers write, for people")
struct PeerTextTests {
    @Test("A short text is shown as it is")
    func short() {
        #expect(PeerText.line("Grüße: 3 × 4 = 12, \"fine\"") == "Grüße: 3 × 4 = 12, \"fine\"")
    }

    @Test("A long text is cut between characters, and its length is told", arguments: ["a", "é", "€", "𝄞"])
    func long(character: String) {
        let text = "x" + String(repeating: character, count: 5_000)
        let shown = PeerText.beginning(of: text)
        #expect(shown.hasSuffix("… (\(text.utf8.count) bytes)"))
        let kept = shown.dropLast("… (\(text.utf8.count) bytes)".count)
        #expect(text.hasPrefix(kept))
        #expect((PeerText.mostBytes - 3...PeerText.mostBytes).contains(kept.utf8.count))
    }

    @Test("What would end a line or move a cursor is escaped in a log")
    func controls() {
        #expect(PeerText.line("one\ntwo\u{1B}[2J\u{2028}\u{202E}three") == #"one\ntwo\u{1B}[2J\u{2028}\u{202E}three"#)
    }
}
