import Testing

@testable import clipper

@Suite("What is counted of a load")
struct RunStatisticsTests {
    private let second: Int64 = 1_000_000_000
    private let milli: Int64 = 1_000_000

    /// Two seconds after one of warm-up, SLO 20 ms.
    private func statistics() -> RunStatistics { RunStatistics(window: second..<(3 * second), slo: 20 * milli) }

    /// The figures of a run that ends five seconds after its start.
    private func figures(_ statistics: RunStatistics, inFlight: [Int64] = [], unsent: [Int64] = []) -> BenchRun {
        statistics.figures(
            rate: 100, connections: 4, inFlight: inFlight, unsent: unsent, at: 5 * second, cpuSeconds: 0.5,
            isInterrupted: false)
    }

    @Test("Every measured request is counted once, as what became of it")
    func addsUp() {
        var statistics = statistics()
        for _ in 0..<10 { statistics.recordArrival(due: second, at: second) }
        for _ in 0..<3 { statistics.record(.prediction, due: second, at: second + milli) }
        statistics.record(.defaultOutput(reason: "late"), due: second, at: second + milli)
        statistics.record(.defaultOutput(reason: "late"), due: second, at: second + milli)
        statistics.record(.defaultOutput(reason: "gone"), due: second, at: second + milli)
        statistics.record(.rejected, due: second, at: second + milli)
        statistics.record(.error("HTTP 500"), due: second, at: second + milli)
        statistics.record(failure: "broken", due: second, at: second + milli)
        let run = figures(statistics, unsent: [second])
        #expect(run.sent == 10)
        #expect(run.answered == 8)
        #expect(run.predictions == 3)
        #expect(run.defaults == ["late": 2, "gone": 1])
        #expect(run.rejected == 1)
        #expect(run.errors == ["HTTP 500": 1, "broken": 1])
        #expect(run.unanswered == 1)
        #expect(run.unsent == 1)
        #expect(run.predictions + run.defaultCount + run.rejected + run.errorCount + run.unanswered == run.sent)
    }

    @Test("The share inside the SLO is all of them only where it is")
    func share() {
        var statistics = statistics()
        for _ in 0..<3_000_000 { statistics.recordArrival(due: second, at: second) }
        for _ in 0..<2_999_999 { statistics.record(.prediction, due: second, at: second + milli) }
        #expect(figures(statistics).shareInSLO == 0.999999)
    }

    @Test("Inside the SLO is a prediction up to it, counted from when the request was due")
    func judges() {
        var statistics = statistics()
        for _ in 0..<8 { statistics.recordArrival(due: second, at: second + 19 * milli) }
        let answers: [(BenchAnswer, latency: Int64)] = [
            (.prediction, 20 * milli), (.prediction, 20 * milli + 1), (.defaultOutput(reason: "x"), milli),
            (.rejected, milli),
        ]
        let judged = answers.map { statistics.record($0, due: second, at: second + $1) }
        #expect(judged == [true, false, false, false])
        let run = figures(statistics)
        #expect(run.inSLO == 1)
        #expect(run.shareInSLO == 0.125)
        #expect(run.goodput == 0.5)
    }

    @Test("What was due before the window or after it is not counted, but its answers count for the rate")
    func leavesOutWarmup() throws {
        var statistics = statistics()
        for due in [0, second - 1, 3 * second] {
            statistics.recordArrival(due: due, at: due)
            statistics.recordWait(due: due)
            statistics.record(failure: "x", due: due, at: due)
        }
        statistics.record(.prediction, due: second - 1, at: second + 1)
        statistics.record(.prediction, due: second - 1, at: second - 1)
        statistics.recordArrival(due: 3 * second - 1, at: 3 * second - 1)
        statistics.record(.prediction, due: 3 * second - 1, at: 3 * second)
        let run = figures(statistics, inFlight: [second - 1], unsent: [0, 3 * second])
        #expect(run.sent == 1)
        #expect(run.predictions == 1)
        #expect(run.errorCount == 0)
        #expect(run.waitedForConnection == 0)
        #expect(run.achievedRate == 0.5)
        #expect(run.unanswered == 0)
        #expect(run.unsent == 0)
        #expect(try #require(run.latency).max < 1)
    }

    @Test("Latencies are those of outputs, and of the predictions alone; quick refusals are kept apart")
    func splitsLatencies() throws {
        var statistics = statistics()
        for index in 1...100 {
            let answer: BenchAnswer =
                switch index {
                case 1...10: .rejected
                case 11...20: .error("HTTP 500")
                case 21...60: .prediction
                default: .defaultOutput(reason: "late")
                }
            statistics.recordArrival(due: second, at: second)
            statistics.record(answer, due: second, at: second + Int64(index) * milli)
        }
        let run = figures(statistics)
        let (all, predictions) = (try #require(run.latency), try #require(run.predictionLatency))
        let refusals = try #require(run.refusalLatency)
        #expect(abs(all.p50 - 60_000) < 60)
        #expect(abs(all.max - 100_000) < 100)
        #expect(abs(all.mean - 60_500) < 1)
        #expect(abs(predictions.p50 - 40_000) < 40)
        #expect(abs(predictions.max - 60_000) < 60)
        #expect(abs(refusals.p50 - 10_000) < 10)
        #expect(abs(refusals.max - 20_000) < 20)
    }

    @Test("A request without an answer has the latency that it has reached at the end, and is outside the SLO")
    func countsUnanswered() throws {
        var statistics = statistics()
        for _ in 0..<100 { statistics.recordArrival(due: second, at: second) }
        for _ in 0..<97 { statistics.record(.prediction, due: second, at: second + milli) }
        let run = figures(statistics, inFlight: [second, second], unsent: [second])
        let latency = try #require(run.latency)
        #expect(abs(latency.p95 - 1000) < 1)
        #expect(abs(latency.p99 - 4_000_000) < 4000)
        // Each of the three: 97 times one millisecond, three times four seconds.
        #expect(abs(latency.mean - 120_970) < 1)
        #expect(try #require(run.latencyCurve.last)[1] > 3_990_000)
        #expect(abs(try #require(run.predictionLatency).max - 1000) < 1)
        #expect(run.shareInSLO == 0.97)
    }

    @Test("A connection that is refused at once is a refusal, and no latency as long as the run")
    func keepsFailuresApart() throws {
        var statistics = statistics()
        for _ in 0..<2 { statistics.recordArrival(due: second, at: second) }
        statistics.record(.prediction, due: second, at: second + milli)
        statistics.record(failure: "connection refused", due: second, at: second + 2 * milli)
        let run = figures(statistics)
        #expect(abs(try #require(run.latency).max - 1000) < 1)
        #expect(abs(try #require(run.refusalLatency).max - 2000) < 2)
        #expect(run.shareInSLO == 0.5)
    }

    @Test("What nobody answers at the end is silence, from the last answer on, where somebody asked")
    func measuresSilence() {
        var statistics = statistics()
        for _ in 0..<3 { statistics.recordArrival(due: second, at: second) }
        statistics.record(.error("HTTP 500"), due: second, at: second + milli)
        #expect(figures(statistics).silentSeconds == 2)
        statistics.record(.rejected, due: second, at: second + 500 * milli)
        #expect(figures(statistics, inFlight: [second]).silentSeconds == 1.5)
        statistics.record(.prediction, due: second, at: 2 * second)
        #expect(figures(statistics).silentSeconds == 0)
        statistics.recordArrival(due: 2 * second, at: 2 * second)
        statistics.record(failure: "connection refused", due: 2 * second, at: 2 * second)
        #expect(figures(statistics).silentSeconds == 1)
    }

    @Test("Sends are late beyond a millisecond; the lag is told apart from the latency")
    func countsLateSends() throws {
        var statistics = statistics()
        for lag in [0, milli, milli + 1, 5 * milli] { statistics.recordArrival(due: second, at: second + lag) }
        let run = figures(statistics)
        #expect(run.lateSends == 2)
        #expect(abs(try #require(run.sendLag).max - 5000) < 5)
        #expect(run.latency == nil)
        #expect(run.predictionLatency == nil)
    }

    @Test("Bytes and processor time are those of the window")
    func countsBytes() {
        var statistics = statistics()
        statistics.recordBytes(sent: 10, received: 20, at: second)
        statistics.recordBytes(sent: 100, received: 200, at: 3 * second)
        let run = figures(statistics)
        #expect(run.bytesSent == 10)
        #expect(run.bytesReceived == 20)
        #expect(run.generatorCPUShare == 0.25)
    }

    @Test("Goodput is what came within the window, so that a queue that grows is no throughput")
    func goodputOfAGrowingQueue() {
        var statistics = RunStatistics(window: second..<(3 * second), slo: 3 * second)
        // 100 a second come, 50 of them are answered: in the window, and behind it as long as the SLO allows.
        for request in 0..<300 {
            statistics.recordArrival(due: Int64(request) * 10 * milli, at: Int64(request) * 10 * milli)
        }
        for request in 0..<300 {
            statistics.record(.prediction, due: Int64(request) * 10 * milli, at: Int64(request) * 20 * milli)
        }
        let run = figures(statistics)
        #expect(run.shareInSLO == 1)
        #expect(run.goodput == 50)
        #expect(!run.keepsUp)
    }

    @Test("A run that is ended early counts what was due until then, over that time")
    func endsEarly() {
        var statistics = statistics()
        for due in [second, second + milli] { statistics.recordArrival(due: due, at: due) }
        statistics.record(.prediction, due: second, at: second + milli)
        statistics.end(at: second * 2)
        statistics.record(.prediction, due: second + milli, at: second * 2 + milli)
        let run = figures(statistics)
        #expect(run.durationSeconds == 1)
        #expect(run.predictions == 2)
        #expect(run.goodput == 1)
        #expect(run.achievedRate == 1)
    }

    @Test("A run that is ended in its warm-up has no figures")
    func endsInWarmup() {
        var statistics = statistics()
        statistics.recordArrival(due: milli, at: milli)
        statistics.end(at: 2 * milli)
        let run = figures(statistics)
        #expect(run.sent == 0)
        #expect(run.durationSeconds == 0)
        #expect(run.goodput == 0)
        #expect(run.generatorCPUShare == 0)
    }

    @Test("Errors that a server words anew each time are counted together")
    func boundsErrors() {
        var statistics = statistics()
        for index in 0..<1000 {
            statistics.recordArrival(due: second, at: second)
            statistics.record(.error("error \(index)"), due: second, at: second)
        }
        let run = figures(statistics)
        #expect(run.errors.count <= 21)
        #expect(run.errorCount == 1000)
    }

    @Test("The curve rises from the least to the greatest, eight points for each nine")
    func drawsCurve() throws {
        var histogram = LatencyHistogram()
        for index in 1...1000 { histogram.record(Int64(index) * 1_000_000) }
        let curve = histogram.curve
        #expect(curve.allSatisfy { $0.count == 2 })
        #expect(zip(curve, curve.dropFirst()).allSatisfy { $0[0] < $1[0] && $0[1] <= $1[1] })
        #expect(curve.first?[0] == 0)
        #expect(curve.contains { $0[0] == 90 && abs($0[1] - 900_000) < 900 })
        #expect(curve.contains { $0[0] == 99 && abs($0[1] - 990_000) < 990 })
        #expect(try #require(curve.last)[0] == 99.9)
        #expect(try #require(curve.last)[1] == histogram.micros(atPercentile: 100).rounded(places: 1))
        #expect(LatencyHistogram().curve.isEmpty)
    }
}
