import ArgumentParser
import ContainerRPC
import Logging
import TestSupport
import Testing

@testable import ModelContainer

@Suite("Where a container looks for its frontend")
struct ContainerAddressTests {
    private let container = ModelContainer(name: "code", version: "1") { (input: [Double]) in input.count }

    private func endpoint(_ flags: [String], _ environment: [String: String] = [:]) throws -> String {
        try ContainerConfiguration(of: container, options: try ContainerOptions.parse(flags), environment: environment)
            .endpoint
    }

    /// What is said of an address that cannot be; `nil` for a good one.
    private func problem(_ flags: [String], _ environment: [String: String] = [:]) -> String? {
        do {
            _ = try endpoint(flags, environment)
            return nil
        } catch {
            return (error as? ContainerError)?.description ?? "another error: \(error)"
        }
    }

    @Test(
        "An endpoint may be given as one",
        arguments: [
            "tcp://10.0.0.3:7300", "tcp://[::1]:7300", "tcp://::1:7300", "tcp://[fe80::1%eth0.1]:65535",
            "tcp://front_end-1.local:1", "inproc://query-frontend", "ipc:///run/rpc",
        ])
    func whole(text: String) throws {
        let environment = ["CLIPPER_IP": "10.0.0.1", "CLIPPER_PORT": "7100"]
        #expect(try endpoint(["--frontend", text], environment) == text)
        _ = try container.service(endpoint: text, logger: .silent)
    }

    @Test(
        "One that no frontend can be at is refused, and what would do is told",
        arguments: [
            "127.0.0.1:7000", "", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:0",
            "tcp://127.0.0.1:65536", "tcp://127.0.0.1:+1", "tcp://127.0.0.1:http", "tcp://a b:7000", "tcp://:7000",
            "tcp://*:7000", "tcp://127.0.0.1:7000/", "tcp://[::1:7000", "tcp://[10.0.0.1]:7000", "http://127.0.0.1:1",
            "carrier-pigeon://loft", "ipc://", "inproc://", "TCP://127.0.0.1:7000",
        ])
    func wrong(text: String) {
        let expected = """
            is '\(text)'; expected one such as tcp://127.0.0.1:7000, or in one machine ipc://path, in one program \
            inproc://name
            """
        #expect(problem(["--frontend", text]) == "the frontend's endpoint (--frontend) \(expected)")
        let error = #expect(throws: ContainerError.self) { try container.service(endpoint: text, logger: .silent) }
        #expect(error?.description == "the frontend's endpoint \(expected)")
    }

    @Test("An IPv6 host is put between brackets", arguments: ["::1", "[::1]"])
    func ipv6(host: String) throws {
        #expect(try endpoint(["--host", host]) == "tcp://[::1]:7000")
    }

    @Test("A host may be a name")
    func hostName() throws {
        #expect(try endpoint(["--host", "frontend.local"]) == "tcp://frontend.local:7000")
    }

    @Test(
        "A host that is none is refused, with the flag or the variable that says it",
        arguments: ["a b", "tcp://127.0.0.1", "127.0.0.1:7000", "", "-a", "a/b", "grün", "::g", "::1%"])
    func wrongHost(host: String) {
        let expected = "is '\(host)'; expected a name or an address alone, such as 127.0.0.1"
        let error = #expect(throws: ContainerError.self) {
            try ContainerConfiguration(of: container, options: ContainerOptions(host: host), environment: [:])
        }
        #expect(error?.description == "the frontend's host (--host) \(expected)")
        guard !host.isEmpty else { return }
        #expect(problem([], ["CLIPPER_IP": host]) == "the frontend's host (CLIPPER_IP) \(expected)")
    }

    @Test("So is a port", arguments: ["0", "65536", "-1", "http", "7000.0"])
    func wrongPort(port: String) {
        #expect(
            problem([], ["CLIPPER_PORT": port])
                == "the frontend's port (CLIPPER_PORT) is '\(port)'; expected a number from 1 to 65535")
    }

    @Test("That of a flag, too")
    func wrongPortOfFlag() {
        #expect(
            problem(["--port", "0"], ["CLIPPER_PORT": "http"])
                == "the frontend's port (--port) is '0'; expected a number from 1 to 65535")
    }

    @Test("The frontend cannot be given in two ways", arguments: [["--host", "a"], ["--port", "1"]])
    func twoAddresses(flags: [String]) {
        #expect(
            problem(["--frontend", "tcp://a:1"] + flags)
                == "--frontend already says where the frontend is: leave --host and --port out")
    }
}
