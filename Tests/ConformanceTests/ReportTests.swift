import ContainerRPC
import Testing

@testable import ContainerConformance

@Suite struct ReportTests {
    @Test func `a frame is shown whole, thirty-two bytes to a line`() {
        let lines = ShownFrames([(0..<100).map { UInt8($0) }]).lines
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("  0    100  00 01 02"))
        #expect(lines[3] == "            60 61 62 63")
    }

    @Test func `a frame of more than a kilobyte is shown by its beginning, its end and its length`() {
        let lines = ShownFrames([[UInt8](repeating: 7, count: 3_000)]).lines
        #expect(lines[0].hasPrefix("  0   3000  07 07"))
        #expect(lines.contains { $0.contains("… 1976 bytes …") })
        #expect(lines.count == 33)
    }

    @Test func `of many frames the middle is left out`() {
        let lines = ShownFrames((0..<5_000).map { [UInt8($0 & 255)] }).lines
        #expect(lines.count == 15)
        #expect(lines.contains("… 4986 frames …"))
        #expect(lines.last == "4999      1  87")
    }

    @Test func `a transcript keeps its beginning and its end, and says how much is missing`() {
        var transcript = Transcript()
        for number in 0..<1_000 { transcript.append(.remark(at: .milliseconds(number), "remark \(number)")) }
        let lines = transcript.lines
        #expect(lines.first == "   0.000  -----  remark 0")
        #expect(lines.last == "   0.999  -----  remark 999")
        #expect(lines.count == 401)
        #expect(lines.contains { $0.contains("600 more are left out") })
    }

    @Test func `a message is named as it was decoded`() {
        #expect(MessageNames.fromContainer([[], [2, 0, 0, 0]]) == "heartbeat")
        #expect(
            MessageNames.fromFrontend([[], [3, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]]) == "heartbeat (request-metadata)")
        #expect(MessageNames.fromContainer([[], [9, 0, 0, 0]]).hasPrefix("malformed: unknown-type in frame 1"))
        #expect(MessageNames.fromFrontend([[4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]]) == "heartbeat (keep-alive)")
    }

    @Test func `JUnit's XML has a case for each result, with its text escaped`() {
        let report = JUnitReport(
            suite: "a & b",
            results: [
                result("good", .passed()), result("noted", .passed(note: "1 < 2")),
                result("left-out", .skipped("no \"need\"")),
                result("bad", .failed("<&>\n\u{1}")),
            ])
        let text = report.text
        #expect(
            text.contains(#"<testsuite name="a &amp; b" tests="4" failures="1" errors="0" skipped="1" time="6.000">"#))
        #expect(text.contains(#"<testcase classname="a &amp; b.rpc-4" name="good" time="1.500"/>"#))
        #expect(text.contains("<system-out>1 &lt; 2</system-out>"))
        #expect(text.contains(#"<skipped message="no &quot;need&quot;"/>"#))
        #expect(text.contains(#"<failure message="&lt;&amp;&gt;&#10;? [rpc-4.md 8.5]">"#))
    }

    @Test func `every scenario has a name of its own, a summary and a section for each version`() {
        for scenarios in [ListedScenario.ofContainers, ListedScenario.ofFrontends] {
            #expect(Set(scenarios.map(\.name)).count == scenarios.count)
            for scenario in scenarios {
                #expect(!scenario.versions.isEmpty && !scenario.summary.isEmpty)
                for version in scenario.versions {
                    #expect(scenario.sections[version]?.hasPrefix("rpc-\(version.rawValue).md ") == true)
                }
            }
        }
    }

    @Test func `a command that is not there is an error that names it`() {
        let error = #expect(throws: Command.Unstartable.self) { try Command(["no-such-program", "x"]) }
        #expect(error?.description.contains("'no-such-program'") == true)
    }

    @Test func `an input of a user is read as the type of the container`() throws {
        #expect(try Inputs.bytes(of: "[1, -1]", .int32) == [1, 0, 0, 0, 255, 255, 255, 255])
        #expect(try Inputs.bytes(of: "[1]", .float64) == [0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
        #expect(try Inputs.bytes(of: "naïve", .string) == Array("naïve".utf8))
        #expect(throws: Inapplicable.self) { try Inputs.bytes(of: "[1.5]", .int32) }
        #expect(throws: Inapplicable.self) { try Inputs.bytes(of: "text", .float32) }
    }

    private func result(_ name: String, _ verdict: Verdict) -> ScenarioResult {
        ScenarioResult(
            name: name, version: .four, summary: "", section: "rpc-4.md 8.5", verdict: verdict,
            duration: .milliseconds(1_500), transcript: Transcript(), output: "")
    }
}
