import Foundation
import TestSupport
import Testing

@testable import clipper

/// The figures of a run of a second whose outstanding requests are left out.
private func figures(
    of statistics: RunStatistics, rate: Double?, connections: Int = 1, cpuSeconds: Double = 0,
    isInterrupted: Bool = false
) -> BenchRun {
    statistics.figures(
        rate: rate, connections: connections, inFlight: [], unsent: [], at: 1_000_000_000, cpuSeconds: cpuSeconds,
        isInterrupted: isInterrupted)
}

/// A report with two runs.
func sampleReport(application: String = "digits") -> BenchReport {
    func run(rate: Double, inSLO: Int) -> BenchRun {
        var statistics = RunStatistics(window: 0..<1_000_000_000, slo: 20_000_000)
        for index in 0..<100 {
            statistics.recordArrival(due: 0, at: 10_000)
            statistics.record(.prediction, due: 0, at: (index < inSLO ? 5_000_000 : 30_000_000) + Int64(index) * 1000)
        }
        statistics.recordArrival(due: 0, at: 10_000)
        statistics.record(.defaultOutput(reason: "too <late>"), due: 0, at: 21_000_000)
        statistics.recordArrival(due: 0, at: 10_000)
        statistics.record(failure: "connection refused", due: 0, at: 11_000)
        return figures(of: statistics, rate: rate, connections: 64, cpuSeconds: 0.25)
    }
    return BenchReport(
        application: application, url: "http://127.0.0.1:1337/digits/predict", arrivals: "poisson", connections: 64,
        seed: 7, sloMicros: 20_000, goal: 0.99, runs: [run(rate: 1000, inSLO: 100), run(rate: 2000, inSLO: 40)],
        highestRateWithinSLO: 1000, search: sampleSearch(requests: 1000), startedAt: "2026-01-02T03:04:05Z",
        clipperVersion: "0.1.0", warmupSeconds: 2, graceSeconds: 5,
        input: BenchInput(source: .randomDoubles, count: 256, bodyBytes: 1234, isDistinct: true))
}

/// What a search rests on that kept a rate and missed none.
private func sampleSearch(requests: Int, share: Double = 0.99) -> BenchSearch {
    let goal = RateSearch.Goal(share: share, slo: .milliseconds(20))
    var search = RateSearch(start: 1000, stop: 1000, tolerance: 0.05, goal: goal)
    _ = search.record(RateSearch.Step(requests: requests, inside: requests))
    return BenchSearch(search)
}

@Suite("The report of a load")
struct BenchReportTests {
    @Test("It comes back from its JSON as it was")
    func comesBack() throws {
        let report = sampleReport()
        #expect(try BenchReport(json: Data(try report.json.utf8)) == report)
    }

    @Test("Its keys are those that are documented")
    func hasKeys() throws {
        let json = try #require(RawJSON(try sampleReport().json))
        for key in [
            "application", "url", "arrivals", "connections", "seed", "slo_micros", "goal", "runs",
            "highest_rate_within_slo", "search", "started_at", "clipper_version", "warmup_seconds", "grace_seconds",
            "input",
        ] {
            #expect(json[key] != nil, "\(key)")
        }
        let run = try #require(json["runs"]?.elements?.first)
        for key in [
            "rate", "duration_seconds", "connections", "interrupted", "sent", "answered", "predictions", "defaults",
            "rejected", "errors", "unanswered", "unsent", "in_slo", "share_in_slo", "goodput", "achieved_rate",
            "bytes_sent", "bytes_received", "waited_for_connection", "late_sends", "generator_cpu_share",
            "latency_curve",
        ] {
            #expect(run[key] != nil, "\(key)")
        }
        #expect(
            json["input"]?.text == #"{"body_bytes":1234,"count":256,"distinct":true,"source":"random-doubles"}"#)
        #expect(
            json["search"]?.text
                == #"{"complete":true,"generator_late":false,"requests_needed":1000,"rests_on_too_few":false}"#)
        #expect(run["defaults"]?.text == #"{"too <late>":1}"#)
        #expect(run["share_in_slo"]?.text == "0.980392")
        for key in ["latency_micros", "prediction_latency_micros"] {
            for percentile in ["p50", "p90", "p95", "p99", "p999", "p9999", "max", "mean"] {
                #expect(run[key]?[percentile] != nil, "\(key) \(percentile)")
            }
        }
        for percentile in ["p50", "p99", "max"] { #expect(run["send_lag_micros"]?[percentile] != nil) }
    }

    @Test("A closed loop has no rate, and a run without answers no latencies")
    func leavesOut() throws {
        var report = sampleReport()
        report.highestRateWithinSLO = nil
        report.runs = [figures(of: RunStatistics(window: 0..<1000, slo: 1), rate: nil)]
        let json = try #require(RawJSON(try report.json))
        #expect(json["highest_rate_within_slo"] == nil)
        let run = try #require(json["runs"]?.elements?.first)
        #expect(run["rate"] == nil)
        #expect(run["latency_micros"] == nil)
        #expect(try BenchReport(json: Data(json.text.utf8)) == report)
    }

    @Test("A file of an earlier version is read")
    func readsEarlier() throws {
        let json =
            #"{"application":"a","arrivals":"closed","connections":1,"goal":0.99,"runs":[],"seed":1,"#
            + #""slo_micros":1,"url":"u"}"#
        #expect(try BenchReport(json: Data(json.utf8)).startedAt == nil)
    }

    @Test("A frontend that was there, and was so no more at the end, is a failure, however few requests failed")
    func judgesTheEnd() {
        var report = sampleReport()
        (report.search, report.highestRateWithinSLO, report.sloMicros) = (nil, nil, 100_000)
        report.runs[1].silentSeconds = 1
        #expect(report.isSuccess)
        report.runs[1].silentSeconds = 1.5
        #expect(!report.isSuccess)
        #expect(
            BenchTables.lines(report).contains(
                "At 2000/s the frontend gave no answer any more in the last 1.5 seconds."))
        report.sloMicros = 1_000_000
        #expect(report.isSuccess)
        (report.sloMicros, report.runs[1].isInterrupted) = (100_000, true)
        #expect(report.isSuccess)
    }

    @Test("Where a goal is set, a run below it is a failure; one that was ended early is not judged")
    func judgesGoal() {
        var report = sampleReport()
        (report.search, report.highestRateWithinSLO) = (nil, nil)
        #expect(report.isSuccess)
        report.isGoalRequired = true
        #expect(!report.isSuccess)
        report.goal = 0.39
        #expect(report.isSuccess)
        // Of counts, as a search judges it: the share in the JSON is rounded.
        (report.runs[1].sent, report.runs[1].inSLO, report.goal) = (100, 55, 0.55)
        #expect(report.isSuccess)
        report.goal = 0.98
        report.runs[1].isInterrupted = true
        #expect(report.isSuccess)
    }

    @Test("A result that rests on too few requests, or on a generator that was late, says so")
    func saysWhatItIsWorth() {
        var report = sampleReport()
        report.search = sampleSearch(requests: 14)
        #expect(
            BenchTables.lines(report).contains {
                $0.hasPrefix("That rests on too few: a step had 14 requests, and a goal of 99% takes some 1000.")
            })
        report.search = sampleSearch(requests: 14, share: 1)
        #expect(BenchTables.lines(report).contains { $0.hasPrefix("That is what came of 14 requests") })
        report.search = sampleSearch(requests: 1000)
        report.search?.isGeneratorLate = true
        #expect(BenchTables.lines(report).contains { $0.contains("generator itself was late, by more than a tenth") })
    }

    @Test("A search that found no rate says so, and between which it searched")
    func foundNothing() {
        var report = sampleReport()
        report.highestRateWithinSLO = nil
        #expect(BenchTables.lines(report).contains { $0.hasSuffix("kept at no rate from 1000/s to 2000/s.") })
    }

    @Test("A search that was ended before its end gives no verdict, only what it has so far, and is no success")
    func endedSearch() {
        let goal = RateSearch.Goal(share: 0.99, slo: .milliseconds(20))
        var report = sampleReport()
        report.search = BenchSearch(RateSearch(start: 1000, stop: 4000, tolerance: 0.05, goal: goal))
        #expect(report.search?.isComplete == false)
        #expect(!report.isSuccess)
        let ended = "The search was ended before its end: 99% inside the SLO:"
        #expect(BenchTables.lines(report).contains("\(ended) kept up to 1000/s so far, perhaps higher."))
        report.highestRateWithinSLO = nil
        #expect(BenchTables.lines(report).contains("\(ended) no rate that keeps it was found so far."))
        #expect(!BenchTables.lines(report).contains { $0.contains("kept at no rate") })
    }

    @Test("People are shown a row for each run, the reasons of defaults, the errors and what was found")
    func showsTables() {
        let lines = BenchTables.lines(sampleReport())
        #expect(lines[0].hasPrefix("digits at http://127.0.0.1:1337/digits/predict: Poisson arrivals, 64 connections"))
        #expect(lines.contains { $0.hasPrefix("1000/s") && $0.contains("98.03%") })
        #expect(lines.contains { $0.hasPrefix("2000/s") && $0.contains("39.21%") })
        #expect(lines.contains("  2  too <late>"))
        #expect(lines.contains("  2  connection refused"))
        #expect(lines.last == "99% inside the SLO: kept up to 1000/s.")
    }

    @Test("One run is shown with all its percentiles")
    func showsPercentiles() {
        var report = sampleReport()
        report.runs.removeLast()
        #expect(BenchTables.lines(report).contains { $0.hasPrefix("LATENCY") && $0.contains("P99.99") })
        #expect(!BenchTables.lines(sampleReport()).contains { $0.hasPrefix("LATENCY") })
    }

    @Test("Refusals have latencies of their own, where there are any")
    func showsRefusals() throws {
        var report = sampleReport()
        var statistics = RunStatistics(window: 0..<1_000_000_000, slo: 20_000_000)
        report.runs = [figures(of: statistics, rate: 10)]
        #expect(!BenchTables.lines(report).contains { $0.hasPrefix("refusals") })
        statistics.recordArrival(due: 0, at: 0)
        statistics.record(.rejected, due: 0, at: 1_000_000)
        report.runs = [figures(of: statistics, rate: 10)]
        #expect(BenchTables.lines(report).contains { $0.hasPrefix("refusals") })
        let run = try #require(RawJSON(try report.json)?["runs"]?.elements?.first)
        #expect(run["refusal_latency_micros"]?["p99"] != nil)
        #expect(run["latency_micros"] == nil)
    }

    @Test("A generator that was late, and requests that waited for a connection, are pointed out")
    func warns() {
        var statistics = RunStatistics(window: 0..<1_000_000_000, slo: 20_000_000)
        for _ in 0..<10 {
            statistics.recordArrival(due: 0, at: 2_000_000)
            statistics.recordWait(due: 0)
        }
        var report = sampleReport()
        #expect(!BenchTables.lines(report).contains { $0.contains("late (LAG") || $0.contains("waited") })
        report.runs = [figures(of: statistics, rate: 10, cpuSeconds: 0.9, isInterrupted: true)]
        let lines = BenchTables.lines(report)
        #expect(lines.contains { $0.hasPrefix("The generator itself was late") && $0.contains("90%") })
        #expect(lines.contains { $0.hasPrefix("10 (100.0%) of the requests waited for a connection") })
        #expect(lines.contains("The last run was interrupted."))
    }

    @Test(
        "Shares are rounded down: only all of something is 100%",
        arguments: [(1.0, "100%"), (0.999999, "99.99%"), (0.99, "99%"), (0.9871, "98.71%"), (0.0, "0%"), (0.57, "57%")])
    func roundsDown(share: Double, text: String) {
        #expect(BenchTables.percent(share) == text)
    }
}
