import ContainerRPC
import Foundation
import Testing

@testable import ContainerConformance

@Suite struct IDRandomnessTests {
    private func ids(_ count: Int = IDRandomness.fewestIDs, _ make: (Int) -> [UInt8]) -> [RoutingID] {
        (0..<count).map { RoutingID(Array("rpc4-".utf8) + make($0)) }
    }

    private func random(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255) }
    }

    private func digits(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in Array("0123456789abcdef".utf8)[Int.random(in: 0..<16)] }
    }

    @Test func `random bytes, random digits, UUIDs, and a name before them are random enough`() {
        #expect(IDRandomness.fault(in: ids { _ in random(16) }) == nil)
        #expect(IDRandomness.fault(in: ids { _ in digits(32) }) == nil)
        #expect(IDRandomness.fault(in: ids { _ in Array(UUID().uuidString.utf8) }) == nil)
        #expect(IDRandomness.fault(in: ids { _ in Array("host-4711-".utf8) + digits(32) }) == nil)
    }

    @Test func `counters, clocks, half of the random bytes, and the same bytes each time are not`() {
        let half = random(8)
        let cases: [[RoutingID]] = [
            ids { Array("this is session \($0)".utf8) },
            ids { Array("0000000000000000\(1_700_000_000_000_000 + $0)".utf8) },
            ids { _ in random(8) + [UInt8](repeating: 0, count: 8) }, ids { _ in half + random(8) },
            ids { _ in Array("0000000000000000".utf8) + digits(16) },
        ]
        for ids in cases { #expect(IDRandomness.fault(in: ids) != nil, "\(ids)") }
    }

    @Test func `of few ids nothing is said`() {
        #expect(IDRandomness.fault(in: ids(5) { Array("this is session \($0)".utf8) }) == nil)
    }
}
