import ArgumentParser
import ContainerRPC
import QueryFrontend
import Testing

@testable import clipper

@Suite("Watching the status")
struct StatusWatchTests {
    private var watch = StatusWatch(address: "http://a:1", interval: .seconds(2))
    private let now = MonotonicTime(nanoseconds: 0)

    private func status(
        at uptime: Double, queries: Int = 0, defaults: Int = 0, model: ModelStatus? = nil,
        replicas: [ReplicaStatus] = []
    ) -> FrontendStatus {
        FrontendStatus(
            uptimeSeconds: uptime,
            applications: [
                ApplicationStatus(
                    name: "digits", inputType: "doubles", linkedModels: ["m"], sloMilliseconds: 20,
                    defaultOutput: "-1", queries: queries, defaults: defaults, queriesPerSecond: 7,
                    latencyP50Milliseconds: 1.5, latencyP99Milliseconds: 25)
            ],
            models: [model ?? Self.model()], replicas: replicas)
    }

    private static func model(
        _ version: String = "1", lookups: Int = 0, hits: Int = 0, drops: Int = 0, retries: Int = 0, hedges: Int = 0
    ) -> ModelStatus {
        ModelStatus(
            name: "m", version: version, isCurrent: version == "1", replicas: 1, queued: 3, queriesPerSecond: 7,
            meanBatchSize: 12.34, largestBatch: 64, latencyP50Milliseconds: 0.9, latencyP99Milliseconds: 9.5,
            cacheLookups: lookups, cacheHits: hits, drops: drops, hedges: hedges, retries: retries)
    }

    private static func replica(_ number: Int = 0, batches: Int = 0, queries: Int = 0, state: String = "active")
        -> ReplicaStatus
    {
        ReplicaStatus(
            modelName: "m", modelVersion: "1", replica: number, inputType: "doubles", queriesInFlight: 12,
            completedBatches: batches, completedQueries: queries, secondsSinceLastMessage: 0.02, state: state,
            batchLimit: 60, latencyInterceptMilliseconds: 4, latencySlopeMilliseconds: 0.1)
    }

    /// The frontend answers, whose process began at this time: it comes with its uptime.
    private mutating func look(_ status: FrontendStatus, start: Duration = .zero) {
        watch.received(status, now: now + start + .seconds(status.uptimeSeconds))
    }

    private var lines: [String] { watch.lines(now: now).map(\.plain) }

    @Test("The first look shows three tables, with the frontend's own averages")
    mutating func first() {
        look(
            status(
                at: 75, queries: 1000, defaults: 5, model: Self.model(lookups: 8, hits: 2, drops: 9),
                replicas: [Self.replica(batches: 80, queries: 995)]))
        #expect(
            lines == [
                "frontend http://a:1, up 1m 15s, every 2s",
                "",
                "APPLICATION   SLO    RATE     P50     P99  DEFAULTS  QUERIES",
                "digits       20ms  7.00/s  1.50ms  25.0ms      0.5%     1000",
                "",
                "MODEL  REPLICAS  QUEUED    RATE  BATCH    P50     P99  CACHE  DROPS  RETRIES  HEDGES",
                "m:1           1       3  7.00/s   12.3  900us  9.50ms  25.0%      9        0       0",
                "",
                "REPLICA  STATE   IN FLIGHT  RATE  LIMIT        LATENCY OF n  LAST HEARD",
                "m:1:0    active         12     -     60  4.00ms + 100us × n    0.0s ago",
            ])
    }

    @Test("From the second look on, rates and shares are those since the last")
    mutating func second() {
        look(
            status(
                at: 75, queries: 1000, defaults: 5, model: Self.model(lookups: 100, hits: 0, drops: 9),
                replicas: [Self.replica(batches: 80, queries: 995)]))
        look(
            status(
                at: 77, queries: 1800, defaults: 205,
                model: Self.model(lookups: 200, hits: 90, drops: 19, retries: 4, hedges: 1),
                replicas: [Self.replica(batches: 90, queries: 1395), Self.replica(1, batches: 10, queries: 200)]))
        #expect(lines[3] == "digits       20ms  400/s  1.50ms  25.0ms     25.0%     1800")
        #expect(lines[6] == "m:1           1       3  300/s   30.0  900us  9.50ms  90.0%  19 +10     4 +4    1 +1")
        #expect(lines[9] == "m:1:0    active         12  200/s     60  4.00ms + 100us × n    0.0s ago")
        #expect(lines[10] == "m:1:1    active         12  100/s     60  4.00ms + 100us × n    0.0s ago")
    }

    @Test("Where nothing was asked since the last look there is no share of default outputs, and batches are as before")
    mutating func idle() {
        for uptime in [75.0, 77] {
            look(
                status(
                    at: uptime, queries: 1000, defaults: 5, model: Self.model(lookups: 8, hits: 2, drops: 9),
                    replicas: [Self.replica(batches: 80, queries: 995)]))
        }
        #expect(lines[3] == "digits       20ms   0/s  1.50ms  25.0ms         -     1000")
        #expect(lines[6] == "m:1           1       3   0/s   12.3  900us  9.50ms  25.0%      9        0       0")
    }

    @Test("After a restart of the frontend nothing is compared with what was before")
    mutating func restart() {
        look(status(at: 75, queries: 1000))
        look(status(at: 3, queries: 20), start: .seconds(80))
        #expect(lines[3].hasPrefix("digits       20ms  7.00/s"))
    }

    @Test("So it is where the new process was up for longer, when it was looked at, than the old one was")
    mutating func longerRestart() {
        look(status(at: 3, queries: 20))
        look(status(at: 75, queries: 1000), start: .seconds(10))
        #expect(lines[3].hasPrefix("digits       20ms  7.00/s"))
    }

    @Test("Answers that are not equally quick are no restart")
    mutating func unevenLooks() {
        look(status(at: 75, queries: 1000))
        look(status(at: 77, queries: 1800), start: .milliseconds(900))
        #expect(lines[3].hasPrefix("digits       20ms  400/s"))
    }

    @Test("An application that was registered anew, and a look of the same moment, give no difference")
    mutating func anew() {
        look(status(at: 75, queries: 1000))
        look(status(at: 77, queries: 20))
        #expect(lines[3].hasPrefix("digits       20ms  7.00/s"))
        look(status(at: 77, queries: 20))
        #expect(lines[3].hasPrefix("digits       20ms  7.00/s"))
    }

    @Test("While no answer comes, the last one stays, and the first line says since when")
    mutating func lost() {
        look(status(at: 75))
        let before = lines
        watch.failed("no frontend\nanswers", now: now)
        watch.failed("no frontend answers at http://a:1", now: now + .seconds(2))
        let shown = watch.lines(now: now + .seconds(12))
        #expect(shown[0].plain == "frontend http://a:1: no answer for 12s; trying again every 2s")
        #expect(shown[1].plain == "no frontend answers at http://a:1")
        #expect(Array(shown.map(\.plain).dropFirst(2)) == Array(before.dropFirst()))
        #expect(shown.dropFirst(2).allSatisfy { $0.spans.allSatisfy { $0.style == .faint } })
        #expect(watch.block(now: now + .seconds(12)).count == 2)
        look(status(at: 90))
        #expect(lines[0] == "frontend http://a:1, up 1m 30s, every 2s")
    }

    @Test("Where no answer ever came it says so")
    mutating func never() {
        watch.failed("no frontend answers at http://a:1", now: now)
        #expect(lines[0] == "frontend http://a:1: no answer yet; trying again every 2s")
        #expect(lines.count == 2)
    }

    @Test(
        "A state is as loud as it is bad",
        arguments: [("active", nil), ("draining", TextStyle.warning), ("stuck", .alarm), ("unsuitable", .alarm)])
    func states(state: String, style: TextStyle?) throws {
        let tables = WatchTables(status: status(at: 1, replicas: [Self.replica(state: state)]), change: nil)
        #expect(try #require(tables.replicas.cells.first)[1].style == style)
    }

    @Test("What is out of order stands out: default outputs, an SLO that is missed, drops, a model without replicas")
    mutating func looks() throws {
        func style(_ text: String, _ line: StyledLine) throws -> TextStyle? {
            try #require(line.spans.first { $0.text == text }, "no \(text) in \(line.plain)").style
        }
        var model = Self.model(drops: 1)
        look(status(at: 1, queries: 1000, model: model))
        model.drops = 3
        model.replicas = 0
        look(status(at: 2, queries: 2000, defaults: 5, model: model))
        // What to do about the model comes first, and a blank line.
        func tables() -> [StyledLine] { Array(watch.lines(now: now).dropFirst(2)) }
        #expect(watch.lines(now: now)[2].plain == "No container of m:1 is connected; start one.")
        var shown = tables()
        #expect(try style("0.5%", shown[3]) == .warning)
        #expect(try style("25.0ms", shown[3]) == .warning)
        #expect(try style("3 +2", shown[6]) == .alarm)
        #expect(try style("0", shown[6]) == .alarm)
        look(status(at: 3, queries: 3000, defaults: 25, model: model))
        shown = tables()
        #expect(try style("2.0%", shown[3]) == .alarm)
        #expect(try style("3", shown[6]) == .none)
    }

    @Test(
        "An interval is for watching, and not shorter than a tenth of a second",
        arguments: [(["--interval", "1s"], "--watch"), (["--watch", "--interval", "99ms"], "100ms")])
    func refuses(arguments: [String], part: String) {
        let error = #expect(throws: (any Error).self) { try ClipperCommand.parseAsRoot(["status"] + arguments) }
        #expect(error.map { ClipperCommand.exitCode(for: $0).rawValue } == 64)
        #expect(error.map { ClipperCommand.fullMessage(for: $0) }?.contains(part) == true)
    }

    @Test("An interval is read as durations are")
    func accepts() throws {
        let command = try ClipperCommand.parseAsRoot(["status", "--watch", "--interval", "0.1s"]) as? StatusCommand
        #expect(try #require(command).interval == .milliseconds(100))
    }

    @Test("Rows with trouble come first, alarms before warnings")
    mutating func trouble() throws {
        look(
            status(
                at: 1,
                replicas: [
                    Self.replica(0), Self.replica(1, state: "draining"), Self.replica(2, state: "stuck"),
                    Self.replica(3),
                ]))
        let rows = lines.filter { $0.hasPrefix("m:1:") }
        #expect(rows.map { $0.prefix(5) } == ["m:1:2", "m:1:1", "m:1:0", "m:1:3"])
    }

    @Test("On a terminal of 80 columns one long name costs no model its numbers")
    mutating func narrow() throws {
        var model = Self.model()
        model.name = "a-model-with-quite-a-long-name-of-its-own"
        var status = status(at: 1, model: model)
        status.models.append(Self.model())
        look(status)
        let row = try #require(watch.lines(now: now, columns: 80).map(\.plain).first { $0.hasPrefix("m:1 ") })
        #expect(row.count <= 80)
        #expect(row.hasSuffix("9.50ms     -     0       0      0"), "\(row)")
    }

    @Test("A version that queries do not go to says so")
    mutating func versions() {
        look(status(at: 1, model: Self.model("2")))
        #expect(lines.contains { $0.hasPrefix("m:2 (not current)") })
    }
}

@Suite("A screen")
struct ScreenTests {
    private let screen = Screen(columns: 10, rows: 3, showsColour: false)

    @Test("It is drawn from the top, each line erased before, what is below erased after")
    func draws() {
        #expect(
            screen.drawing([StyledLine("a", .alarm), StyledLine("b")])
                == "\u{1B}[H\u{1B}[2Ka\r\n\u{1B}[2Kb\r\n\u{1B}[0J")
    }

    @Test("The last line of a full screen does not make it scroll, and no line wraps")
    func fills() {
        let drawing = screen.drawing([StyledLine("1234567890"), StyledLine("12345678901"), StyledLine("c")])
        #expect(drawing == "\u{1B}[H\u{1B}[2K1234567890\r\n\u{1B}[2K123456789…\r\n\u{1B}[2Kc")
    }

    @Test("What has no room is counted")
    func overflows() {
        let screen = Screen(columns: 40, rows: 3, showsColour: false)
        let drawing = screen.drawing((1...5).map { StyledLine("\($0)") })
        #expect(drawing == "\u{1B}[H\u{1B}[2K1\r\n\u{1B}[2K2\r\n\u{1B}[2K… and 3 more lines")
    }

    @Test("Looks are shown only where colour is")
    func colours() {
        let line = StyledLine([.init(text: "a ", style: nil), .init(text: "b", style: .alarm)])
        #expect(screen.drawing([line]).contains("\u{1B}[2Ka b\r\n"))
        let coloured = Screen(columns: 10, rows: 3, showsColour: true)
        #expect(coloured.drawing([line]).contains("\u{1B}[2Ka \u{1B}[31mb\u{1B}[0m\r\n"))
    }
}

@Suite("Lines with looks")
struct StyledLineTests {
    private let line = StyledLine([.init(text: "ab", style: .alarm), .init(text: "数字", style: nil)])

    @Test(
        "A line is cut at the terminal's columns, of which wide characters take two",
        arguments: [(6, "ab数字"), (5, "ab数…"), (4, "ab…"), (3, "ab…"), (2, "a…"), (1, "…"), (0, "")])
    func cuts(columns: Int, text: String) {
        #expect(line.cut(to: columns).plain == text)
    }

    @Test("What is cut keeps its looks")
    func keepsLooks() {
        #expect(line.cut(to: 5).spans.first == StyledLine.Span(text: "ab", style: .alarm))
    }

    @Test("Spaces at the end go, also whole pieces of them")
    func trims() {
        let line = StyledLine([.init(text: " a ", style: .faint), .init(text: "  ", style: nil)])
        #expect(line.withoutSpaceAtEnd.spans == [StyledLine.Span(text: " a", style: .faint)])
        #expect(StyledLine("   ").withoutSpaceAtEnd.plain.isEmpty)
    }
}
