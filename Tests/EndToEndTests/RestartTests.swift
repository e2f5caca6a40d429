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

@Suite("Restarts")
struct RestartTests {
    /// A port outside the range from which the system picks, so that nobody takes it between two frontends.
    private func fixedPort() throws -> UInt16 {
        var candidates = SystemRandomNumberGenerator()
        for _ in 0..<1_000 {
            let port = UInt16.random(in: 15_000..<32_000, using: &candidates)
            if (try? TCPConnection(to: Address(":\(port)"))) == nil { return port }
        }
        throw NotInTime(what: "a free port is found", limit: .zero)
    }

    @Test("After kill -9 the catalog is there again, and containers register by themselves")
    func killed() async throws {
        try await withProcesses { processes in
            let (store, port) = (processes.path("catalog.sqlite"), try fixedPort())
            let first = try await Frontend(in: processes, store: store, rpcPort: port)
            try await first.addModel("sum", version: "1", batchSize: 5)
            try await first.addModel("sum", version: "2")
            try await first.addApplication("app", slo: .seconds(61), links: ["sum"])
            try await first.addApplication("gone")
            try await first.admin("delete_app", ["name": "gone"])
            try await first.admin("set_model_version", ["model_name": "sum", "model_version": "1"])
            let container = try await first.startContainer()
            try await first.expectSum()
            let applications = try await first.admin("get_all_applications", ["verbose": true])
            let models = try await first.admin("get_all_models", ["verbose": true])

            try await first.kill()
            let second = try await Frontend(in: processes, store: store, rpcPort: port)
            #expect(try await second.admin("get_all_applications", ["verbose": true]) == applications)
            #expect(try await second.admin("get_all_models", ["verbose": true]) == models)
            try await eventually("the container has registered again") {
                try await second.containers() == ["sum:1:0"]
            }
            try await second.expectSum()
            #expect(container.isRunning)
        }
    }

    @Test("A frontend that comes up after its container gets it nevertheless")
    func containerFirst() async throws {
        try await withProcesses { processes in
            let port = try fixedPort()
            // The way in which Clipper starts containers: everything is in the environment.
            let container = try processes.start(
                "sum-container", ["--log-level", "debug"],
                environment: [
                    "CLIPPER_MODEL_NAME": "sum", "CLIPPER_MODEL_VERSION": "1", "CLIPPER_IP": "127.0.0.1",
                    "CLIPPER_PORT": "\(port)", "CLIPPER_INPUT_TYPE": "doubles",
                ])
            try await eventually("the container is at work") { container.standardError.contains("connecting") }
            let frontend = try await Frontend(in: processes, rpcPort: port)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", links: ["sum"])
            try await eventually("the container registers") { try await frontend.containers() == ["sum:1:0"] }
            try await frontend.expectSum()
        }
    }

    @Test("A frontend whose port is taken says so and ends with 1")
    func portTaken() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let port = try Address(frontend.rpc).port
            let arguments = ["--query-port", "0", "--admin-port", "0", "--rpc-port", "0", "--store", ":memory:"]
            for (flag, port) in [
                ("--rpc-port", port), ("--query-port", frontend.query.port), ("--admin-port", frontend.admin.port),
            ] {
                let second = try processes.start("clipper", ["serve"] + arguments + [flag, "\(port)"])
                #expect(try await second.exitStatus() == 1)
                #expect(second.standardError.contains("cannot bind"))
                #expect(second.standardError.contains("\(port)"))
                #expect(second.standardOutput.isEmpty)
            }
        }
    }

    @Test("A store that cannot be opened is an error with its path, and the end with 1")
    func badStore() async throws {
        try await withProcesses { processes in
            let store = processes.path("missing/catalog.sqlite")
            let process = try processes.start(
                "clipper", ["serve", "--query-port", "0", "--admin-port", "0", "--rpc-port", "0", "--store", store])
            #expect(try await process.exitStatus() == 1)
            #expect(process.standardError.contains(store))
        }
    }

    @Test("What keeps a frontend or a container from starting is a line of the log as JSON, where that is asked for")
    func fatalAsJSON() async throws {
        try await withProcesses { processes in
            let ports = ["--query-port", "0", "--admin-port", "0", "--rpc-port", "0"]
            for (program, arguments, status, words) in [
                ("clipper", ["serve", "--store", processes.path("missing/catalog.sqlite")] + ports, 1, "the store '"),
                ("sum-container", ["--host", "no host"], 64, "the frontend's host (--host) is 'no host'"),
                ("sum-container", ["--largest-batch", "0"], 64, "the largest batch (--largest-batch) is '0'"),
            ] {
                let process = try processes.start(program, arguments + ["--log-format", "json"])
                #expect(try await process.exitStatus() == Int32(status))
                let lines = try process.standardError.split(separator: "\n").map { try JSON(Array($0.utf8)) }
                #expect(lines.last?["level"] == "critical")
                #expect(lines.last?["message"]?.text?.hasPrefix(words) == true, "\(lines)")
            }
        }
    }

    @Test("After kill -9 a copy is put back by taking the log away with the old file")
    func putsCopyBack() async throws {
        try await withProcesses { processes in
            let (store, copy) = (processes.path("catalog.sqlite"), processes.path("copy.sqlite"))
            let files = FileManager.default
            let first = try await Frontend(in: processes, store: store)
            try await first.addApplication("kept")
            first.process.signal(SIGTERM)
            #expect(try await first.process.exitStatus() == 0)
            try files.copyItem(atPath: store, toPath: copy)

            let second = try await Frontend(in: processes, store: store)
            for number in 0..<20 { try await second.addApplication("later\(number)") }
            try await second.kill()
            #expect(files.fileExists(atPath: store + "-wal"))
            try files.removeItem(atPath: store + "-wal")
            try files.removeItem(atPath: store)
            try files.copyItem(atPath: copy, toPath: store)

            let third = try await Frontend(in: processes, store: store)
            #expect(try await third.admin("get_all_applications", ["verbose": false]) == ["kept"])
        }
    }
}
