import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("The load generator's exit codes")
struct BenchCommandTests {
    private func arguments(_ frontend: Frontend, _ more: String...) -> [String] {
        [
            "bench", "app", "--query", "http://\(frontend.query)", "--input", "[1, 2]", "--rate", "50", "--slo", "60s",
            "--warmup", "0s",
        ] + more
    }

    @Test("A run below the goal that was set is 1, and so it can hold up a deployment; without a goal it is 0")
    func goal() async throws {
        try await withProcesses { processes in
            // Without a model every answer is the default output, which no goal counts.
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            let measured = try await processes.clipper(arguments(frontend, "--duration", "200ms"))
            #expect(measured.status == 0, "\(measured)")
            let judged = try await processes.clipper(arguments(frontend, "--duration", "200ms", "--goal", "99%"))
            #expect(judged.status == 1, "\(judged)")
        }
    }

    @Test(
        "A signal ends a load with what was measured, and with the signal's code",
        arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
    func signals(number: Int32, code: Int32) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            let bench = try processes.start(
                "clipper", arguments(frontend, "--duration", "1h", "--json", "-"))
            try await eventually("queries come") {
                try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
                    .contains(#/clipper_queries_total\{application="app"\} [0-9]{2,}/#)
            }
            bench.signal(number)
            #expect(try await bench.exitStatus() == code)
            let json = try JSON(Array(bench.standardOutput.utf8))
            #expect(json["runs"]?[0]?["interrupted"] == true)
            #expect(json["clipper_version"] == "0.1.0")
        }
    }
}
