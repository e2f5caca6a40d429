import Foundation
import Testing

@testable import QueryFrontend

@Suite("The Grafana dashboard")
struct PrometheusDashboardTests {
    private struct Dashboard: Decodable {
        struct Panel: Decodable {
            struct Target: Decodable {
                var expr: String
                var refId: String
            }

            struct Place: Decodable {
                var x: Int
                var y: Int
                var w: Int
                var h: Int
            }

            var id: Int
            var title: String
            var gridPos: Place
            var targets: [Target]?
        }

        struct Templating: Decodable {
            struct Variable: Decodable {
                var name: String
                var definition: String?
            }

            var list: [Variable]
        }

        var schemaVersion: Int
        var panels: [Panel]
        var templating: Templating

        /// All that is asked of Prometheus.
        var queries: [String] {
            panels.flatMap { $0.targets ?? [] }.map(\.expr) + templating.list.compactMap(\.definition)
        }
    }

    private let dashboard: Dashboard

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../deploy/grafana/clipper.json")
        dashboard = try JSONDecoder().decode(Dashboard.self, from: Data(contentsOf: file))
    }

    @Test("Every metric that it asks for is on the page, with the labels that it asks for")
    func metrics() throws {
        var labels: [String: Set<String>] = [:]
        for line in makeReport().prometheusText().split(separator: "\n") where !line.hasPrefix("#") {
            let name = String(line.prefix { $0 != "{" && $0 != " " })
            let names = line.matches(of: /([a-z_]+)="/).map { String($0.1) }
            labels[name, default: []].formUnion(names)
        }
        #expect(dashboard.queries.count > 30)
        for query in dashboard.queries {
            let asked = query.matches(of: /\b(clipper_[a-z_]+)(?:\{([^}]*)\})?/)
            #expect(!asked.isEmpty, "\(query) asks for nothing of ours")
            for match in asked {
                let known = try #require(labels[String(match.1)], "\(match.1) of \(query) is not on the page")
                // Prometheus adds the instance, of which each graph is to know.
                #expect(match.2?.contains(#"instance=~"$instance""#) ?? !query.contains("{"), "\(query)")
                for label in (match.2 ?? "").matches(of: /([a-z_]+)=/) {
                    #expect(
                        label.1 == "instance" || known.contains(String(label.1)), "\(match.1) has no label \(label.1)")
                }
            }
        }
    }

    @Test("Every metric on the page is in it")
    func complete() {
        let queries = dashboard.queries.joined(separator: "\n")
        for line in makeReport().prometheusText().split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let name = line.split(separator: " ")[2]
            #expect(queries.contains(name), "\(name) is nowhere in the dashboard")
        }
    }

    @Test("Panels have ids of their own and do not overlap")
    func places() {
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        var taken: Set<[Int]> = []
        for panel in dashboard.panels {
            for x in panel.gridPos.x..<panel.gridPos.x + panel.gridPos.w {
                for y in panel.gridPos.y..<panel.gridPos.y + panel.gridPos.h {
                    #expect(x < 24 && taken.insert([x, y]).inserted, "\(panel.title) overlaps at \(x), \(y)")
                }
            }
        }
    }
}
