import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

@Suite("Metrics as Clipper has them")
struct ClipperJSONTests {
    /// The document's lists, each as one dictionary.
    private func lists() throws -> [String: [String: [String: String]]] {
        let tree = try JSONDecoder().decode(
            [String: [[String: [String: String]]]].self, from: Data(makeReport().clipperJSON().utf8))
        return tree.mapValues { $0.reduce(into: [:]) { $0.merge($1) { first, _ in first } } }
    }

    @Test("The document has four lists of objects with one key each, and all values are strings")
    func shape() throws {
        let tree = try JSONDecoder().decode(
            [String: [[String: [String: String]]]].self, from: Data(makeReport().clipperJSON().utf8))
        #expect(Set(tree.keys) == ["counters", "ratio_counters", "meters", "histograms"])
        #expect(tree.values.allSatisfy { list in list.allSatisfy { $0.count == 1 } })
    }

    @Test("An application's metrics have Clipper's names")
    func application() throws {
        let lists = try lists()
        #expect(lists["counters"]?["app:app:num_predictions"] == ["count": "4"])
        #expect(lists["ratio_counters"]?["app:app:default_prediction_ratio"] == ["ratio": "0.25"])
        #expect(lists["meters"]?["app:app:prediction_throughput"]?["rate"] == "0.04")
        let latency = try #require(lists["histograms"]?["app:app:prediction_latency"])
        #expect(latency["unit"] == "microseconds")
        #expect(latency["size"] == "4")
        #expect(latency["mean"] == "26500.0")
    }

    @Test("A model's metrics have Clipper's names")
    func model() throws {
        let lists = try lists()
        #expect(lists["counters"]?["model:sum:1:num_predictions"] == ["count": "3"])
        #expect(lists["ratio_counters"]?["model:sum:1:cache_hit_ratio"] == ["ratio": "0.25"])
        #expect(lists["ratio_counters"]?["model:idle:2:cache_hit_ratio"] == ["ratio": "nan"])
        #expect(lists["meters"]?["model:sum:1:prediction_throughput"] != nil)
        #expect(lists["histograms"]?["model:sum:1:prediction_latency"]?["size"] == "2")
        let sizes = try #require(lists["histograms"]?["model:sum:1:batch_size"])
        #expect(sizes["unit"] == "queries")
        #expect(sizes["min"] == "1")
        #expect(sizes["max"] == "2")
        #expect(sizes["mean"] == "1.5")
    }

    @Test("The frontend's own metrics have Clipper's names")
    func frontend() throws {
        let lists = try lists()
        #expect(lists["meters"]?["internal:aggregate_model_throughput"]?["rate"] == "0.03")
        #expect(lists["counters"]?["internal:prediction_cache_lookups"] == ["count": "4"])
        #expect(lists["ratio_counters"]?["internal:prediction_cache_hit_ratio"] == ["ratio": "0.25"])
        let delay = try #require(lists["histograms"]?["internal:rpc_request_queueing_delay"])
        #expect(delay["size"] == "1")
        #expect(delay["mean"] == "700.0")
    }

    @Test("Meters and histograms have Clipper's keys")
    func keys() throws {
        let lists = try lists()
        for meter in try #require(lists["meters"]).values {
            #expect(Set(meter.keys) == ["unit", "rate", "rate_1min", "rate_5min", "rate_15min"])
        }
        for histogram in try #require(lists["histograms"]).values {
            #expect(
                Set(histogram.keys) == ["unit", "size", "min", "max", "mean", "std_dev", "p50", "p95", "p99"])
        }
    }

    @Test("A frontend that has done nothing has a document all the same")
    func empty() throws {
        let text = DispatchReport(now: at(.zero)).clipperJSON()
        #expect(text.contains(#""ratio" : "nan""#))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
    }
}
