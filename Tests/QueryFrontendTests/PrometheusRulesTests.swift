import Foundation
import Testing

@testable import QueryFrontend

@Suite("The alarms for Prometheus")
struct PrometheusRulesTests {
    private let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")

    private func text(_ path: String) throws -> String {
        try String(contentsOf: repository.appending(path: path), encoding: .utf8)
    }

    @Test("Every metric that they ask for is on the page, with the labels that they ask for")
    func metrics() throws {
        var labels: [String: Set<String>] = [:]
        for line in makeReport().prometheusText().split(separator: "\n") where !line.hasPrefix("#") {
            let name = String(line.prefix { $0 != "{" && $0 != " " })
            labels[name, default: []].formUnion(line.matches(of: /([a-z_]+)="/).map { String($0.1) })
        }
        let asked = try text("deploy/prometheus/rules.yml").matches(of: /\b(clipper_[a-z_]+)(?:\{([^}]*)\})?/)
        #expect(asked.count > 10)
        for match in asked {
            let known = try #require(labels[String(match.1)], "\(match.1) is not on the page")
            for label in (match.2 ?? "").matches(of: /([a-z_]+)[=!]/) {
                #expect(known.contains(String(label.1)), "\(match.1) has no label \(label.1)")
            }
        }
    }

    @Test("They are those that the operator's documentation lists")
    func documented() throws {
        let rules = try text("deploy/prometheus/rules.yml")
        let listed = try text("docs/operations.md").split(separator: "```").first { $0.contains("up{job=") }
        let conditions = try #require(listed).split(separator: "\n").map { line in
            line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
        }
        #expect(conditions.count == rules.matches(of: /- alert:/).count)
        for condition in conditions where !condition.hasPrefix("sum by") {
            #expect(rules.contains("expr: \(condition)\n"), "\(condition)")
        }
    }
}
