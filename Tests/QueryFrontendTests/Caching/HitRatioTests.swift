import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

/// How many requests of a trace each cache answers.
private struct Hits {
    var sieve = 0
    var clock = 0

    /// Runs a trace through both caches, with the same capacity and the same bytes for each item.
    init(_ trace: CacheTrace, capacityBytes: Int) {
        var sieveCache = PredictionCache(capacityBytes: capacityBytes)
        var clockCache = ClockCache(capacityBytes: capacityBytes)
        let output = [UInt8](repeating: 1, count: 8)
        for item in trace.requests {
            let length = trace.inputLength(of: item)
            let key = CacheKey(
                model: .first,
                input: Payload(
                    PayloadStorage(byteCount: length) { $0.storeBytes(of: item, as: Int.self) }))
            if sieveCache.output(for: key) != nil { sieve += 1 } else { sieveCache.insert(output[...], for: key) }
            if clockCache.contains(item) {
                clock += 1
            } else {
                clockCache.insert(item, byteCount: CacheEntry.byteCount(input: length, output: output.count))
            }
        }
        // Neither has an advantage by being emptier than it must be.
        #expect(sieveCache.byteCount <= capacityBytes)
        #expect(clockCache.byteCount <= capacityBytes)
    }
}

@Suite("SIEVE compared with CLOCK")
struct HitRatioTests {
    /// Capacities, in hundredths of what all items take.
    static let capacities = [1, 5, 10]

    @Test(
        "The cache answers at least as many requests as CLOCK with the same bytes",
        arguments: CacheTrace.Kind.allCases, [1, 2, 3] as [UInt64])
    func atLeastClock(kind: CacheTrace.Kind, seed: UInt64) {
        let trace = CacheTrace(kind, requests: 25_000, seed: seed)
        for capacity in Self.capacities {
            let hits = Hits(trace, capacityBytes: trace.byteCount / 100 * capacity)
            #expect(hits.clock > trace.requests.count / 10)
            #expect(hits.sieve >= hits.clock, "at \(capacity) %")
        }
    }

    /// The figures of docs/benchmarks.md: `HIT_RATIOS=1 swift test -c release -Xswiftc -enable-testing --filter HitRatioTests`.
    @Test(
        "A table of hit ratios, on request",
        .enabled(if: ProcessInfo.processInfo.environment["HIT_RATIOS"] != nil))
    func table() {
        print("| requests | capacity | CLOCK | SIEVE | least difference |\n| --- | ---: | ---: | ---: | ---: |")
        for kind in CacheTrace.Kind.allCases {
            for capacity in Self.capacities {
                let ratios = ((1...5) as ClosedRange<UInt64>).map { seed in
                    let trace = CacheTrace(kind, requests: 1_000_000, seed: seed)
                    let hits = Hits(trace, capacityBytes: trace.byteCount / 100 * capacity)
                    let requests = Double(trace.requests.count)
                    return (clock: Double(hits.clock) / requests, sieve: Double(hits.sieve) / requests)
                }
                let figures = [
                    ratios.map(\.clock).sorted()[2], ratios.map(\.sieve).sorted()[2],
                    ratios.map { $0.sieve - $0.clock }.min() ?? 0,
                ].map { String(format: "%.3f", $0) }
                print("| \(kind.rawValue) | \(capacity) % | \(figures.joined(separator: " | ")) |")
            }
        }
    }
}
