import ContainerRPC
import Foundation
import Testing

/// The programs and files of one test. Whatever becomes of the test, `withProcesses` leaves none of them behind.
final class Processes: Sendable {
    /// A directory of the test's own.
    let directory: URL

    private let started = Locked<[ChildProcess]>([])

    fileprivate init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("end-to-end-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    /// Starts one of the package's executables.
    func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let process = try ChildProcess(
            executable, arguments, environment: environment,
            log: directory.appendingPathComponent("\(executable)-\(UUID().uuidString)"))
        started.withLock { $0.append(process) }
        return process
    }

    /// A file in the test's directory.
    func path(_ name: String) -> String {
        directory.appendingPathComponent(name).path
    }

    fileprivate func end() async {
        let processes = started.withLock { $0 }
        for process in processes { process.signal(SIGKILL) }
        for process in processes { _ = try? await process.exitStatus() }
        try? FileManager.default.removeItem(at: directory)
    }

    /// What the programs have said.
    fileprivate var log: String {
        started.withLock { $0 }.map { process in
            "--- \(process)\n\(process.standardOutput.suffix(2_000))\(process.standardError.suffix(6_000))"
        }.joined()
    }
}

/// Runs a test with programs, and ends those that it leaves running; a failure is told with what they said.
func withProcesses(_ body: (Processes) async throws -> Void) async throws {
    await Turnstile.shared.enter()
    do {
        let processes = try Processes()
        do {
            try await body(processes)
        } catch {
            Issue.record("\(error)\n\(processes.log)")
        }
        await processes.end()
    } catch {
        Issue.record(error)
    }
    await Turnstile.shared.leave()
}

/// Lets a few tests with programs run at a time: a hundred frontends that start at once keep each other from their
/// deadlines.
private actor Turnstile {
    static let shared = Turnstile(places: 4)

    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty {
            places += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
