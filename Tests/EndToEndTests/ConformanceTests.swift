import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("The conformance kit")
struct ConformanceTests {
    /// What has a bound in the kit: its tests run beside many others.
    private static let timeout = ["--timeout", "60s"]
    private static let starting = timeout + ["--start-timeout", "120s"]

    @Test("A container of the Swift SDK passes, in both versions")
    func container() async throws {
        try await withProcesses { processes in
            let container = try BuiltProducts.executable("faulty-container").path
            let kit = try processes.start(
                "clipper",
                ["conformance", "container", "--failing-input", "[-1]"] + Self.starting
                    + ["--", container, "--on-negative", "throw"])
            #expect(try await kit.exitStatus(within: .seconds(900)) == 0, "\(kit.standardOutput)")
            #expect(kit.standardOutput.contains("0 failed"))
        }
    }

    /// Starts the kit for frontends on one.
    private static func start(on frontend: Frontend, in processes: Processes) throws -> ChildProcess {
        let port = try #require(frontend.rpc.split(separator: ":").last)
        return try processes.start(
            "clipper",
            [
                "conformance", "frontend", "--rpc-port", "\(port)", "--query", "http://\(frontend.query)",
                "--admin", "http://\(frontend.admin)",
            ] + Self.timeout)
    }

    @Test("The frontend passes, in both versions, and nothing of the kit stays behind")
    func frontend() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let kit = try Self.start(on: frontend, in: processes)
            #expect(try await kit.exitStatus(within: .seconds(900)) == 0, "\(kit.standardOutput)")
            #expect(kit.standardOutput.contains("0 failed"))
            let left = try await frontend.admin("get_all_models", ["verbose": false])
            #expect(left == .array([]))
        }
    }

    @Test(
        "A kit that a signal ends leaves nothing at the frontend",
        arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
    func interrupted(number: Int32, code: Int32) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let kit = try Self.start(on: frontend, in: processes)
            try await eventually("it has registered applications") {
                try await frontend.admin("get_all_applications", ["verbose": false]) != .array([])
            }
            kit.signal(number)
            #expect(try await kit.exitStatus() == code)
            #expect(kit.standardOutput.isEmpty)
            #expect(try await frontend.admin("get_all_applications", ["verbose": false]) == .array([]))
            #expect(try await frontend.admin("get_all_models", ["verbose": false]) == .array([]))
        }
    }

    #if os(Linux)
        @Test("Results whose file cannot be written in the end are printed all the same")
        func unwritten() async throws {
            try await withProcesses { processes in
                let container = try BuiltProducts.executable("faulty-container").path
                let kit = try processes.start(
                    "clipper",
                    ["conformance", "container", "--rpc", "4", "--only", "registration", "--junit", "/dev/full"]
                        + Self.starting + ["--", container])
                #expect(try await kit.exitStatus() == 1)
                #expect(kit.standardOutput.contains("1 passed, 0 failed, 0 skipped"))
                #expect(kit.standardError.contains("error: '/dev/full' cannot be written"))
            }
        }
    #endif

    @Test("A container that fails is told by the exit code, the table, the transcript and the JUnit file")
    func failure() async throws {
        try await withProcesses { processes in
            let container = try BuiltProducts.executable("faulty-container").path
            let report = processes.path("report.xml")
            let kit = try processes.start(
                "clipper",
                ["conformance", "container", "--rpc", "4", "--only", "batch-of-one", "--junit", report] + Self.starting
                    + ["--sample-input", "[-1]", "--", container, "--on-negative", "die"])
            #expect(try await kit.exitStatus() == 1)
            let output = kit.standardOutput
            #expect(output.contains("expected the process to live, but it has ended with signal 9"))
            #expect(output.contains("F → C  predict"))
            #expect(output.contains("0 passed, 1 failed, 0 skipped"))
            let text = try String(contentsOfFile: report, encoding: .utf8)
            #expect(text.contains(#"<testsuite name="container" tests="1" failures="1""#))
        }
    }
}
