import TestSupport
import Testing

@testable import ModelContainer

@Suite("Whether a frontend's host is known")
struct HostLookupTests {
    /// No name has a part of more than 63 bytes: no server is asked for it.
    private let unknown = String(repeating: "x", count: 64) + ".example"

    @Test(
        "The host of an endpoint is what stands before its port",
        arguments: [
            ("tcp://10.0.0.1:7000", "10.0.0.1"), ("tcp://front.end:7000", "front.end"), ("tcp://[::1]:7000", "::1"),
            ("inproc://name", nil), ("ipc:///tmp/socket", nil),
        ])
    func host(endpoint: String, host: String?) {
        #expect(HostLookup.host(of: endpoint) == host)
    }

    @Test("Addresses are known, impossible names are not")
    func isKnown() {
        #expect(HostLookup.isKnown("127.0.0.1"))
        #expect(!HostLookup.isKnown(unknown))
    }

    @Test("An unknown host is told, once it has been looked for")
    func warns() async throws {
        let recorded = RecordedLog()
        HostLookup.warn(of: "tcp://\(unknown):7000", recorded.logger)
        let lines = try await eventually("it is told") { recorded.lines.isEmpty ? nil : recorded.lines }
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix("warning the frontend's host cannot be resolved: is its name wrong?"))
    }
}
