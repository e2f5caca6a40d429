import ContainerRPC

/// The results of a run as JUnit's XML, which CI systems read.
public struct JUnitReport: Sendable {
    private let suite: String
    private let results: [ScenarioResult]

    /// A report of these results.
    ///
    /// - Parameter suite: the name that the CI system shows them under.
    public init(suite: String, results: [ScenarioResult]) {
        self.suite = suite
        self.results = results
    }

    /// The document.
    public var text: String {
        let failures = results.count { $0.verdict.isFailure }
        let skipped = results.count { if case .skipped = $0.verdict { true } else { false } }
        let time = results.reduce(0) { $0 + $1.duration.inSeconds }
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<testsuites>",
            "  <testsuite name=\"\(XMLText.escaped(suite))\" tests=\"\(results.count)\" failures=\"\(failures)\""
                + " errors=\"0\" skipped=\"\(skipped)\" time=\"\(Self.seconds(time))\">",
        ]
        for result in results {
            let head =
                "    <testcase classname=\"\(XMLText.escaped(suite)).rpc-\(result.version.rawValue)\""
                + " name=\"\(XMLText.escaped(result.name))\" time=\"\(Self.seconds(result.duration.inSeconds))\""
            switch result.verdict {
            case .passed(nil): lines.append(head + "/>")
            case .passed(let note?):
                lines += [head + ">", "      <system-out>\(XMLText.escaped(note))</system-out>", "    </testcase>"]
            case .skipped(let reason):
                lines += [head + ">", "      <skipped message=\"\(XMLText.escaped(reason))\"/>", "    </testcase>"]
            case .failed(let message):
                lines += [
                    head + ">",
                    "      <failure message=\"\(XMLText.escaped("\(message) [\(result.section)]"))\">"
                        + XMLText.escaped(result.account.joined(separator: "\n")) + "</failure>",
                    "    </testcase>",
                ]
            }
        }
        lines += ["  </testsuite>", "</testsuites>", ""]
        return lines.joined(separator: "\n")
    }

    private static func seconds(_ seconds: Double) -> String {
        let milliseconds = Int(seconds * 1_000)
        return "\(milliseconds / 1_000)." + String(1_000 + milliseconds % 1_000).dropFirst()
    }
}

extension ScenarioResult {
    /// All that there is to say of a failure: what both sides sent, and what the program printed.
    public var account: [String] {
        var lines = transcript.lines
        if !output.isEmpty {
            lines.append("what the container printed:")
            lines += output.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
        }
        return lines
    }
}
