import ContainerRPC
import Foundation
import TestSupport
import Testing

/// The programs and files of one test. Whatever becomes of the test, `withProcesses` leaves none of them behind.
final class Processes: Sendable {
    private let folder: TemporaryFolder
    private let started = Locked<[ChildProcess]>([])

    fileprivate init() throws {
        folder = try TemporaryFolder()
    }

    /// Starts one of the package's executables.
    func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let process = try ChildProcess(
            executable, arguments, environment: environment,
            log: folder.url.appendingPathComponent("\(executable)-\(UUID().uuidString)"))
        started.withLock { $0.append(process) }
        return process
    }

    /// A file in a folder of the test's own.
    func path(_ name: String) -> String { folder.path(name) }

    fileprivate func end() async {
        let processes = started.withLock { $0 }
        for process in processes { process.signal(SIGKILL) }
        for process in processes { _ = try? await process.exitStatus() }
    }

    /// What the programs have said.
    fileprivate var log: String {
        started.withLock { $0 }.map { process in
            "--- \(process)\n\(process.standardOutput.suffix(2_000))\(process.standardError.suffix(6_000))"
        }.joined()
    }
}

/// Lets a few tests with programs run at a time: a hundred frontends that start at once keep each other from their
/// deadlines.
private let turnstile = Turnstile(places: 4)

/// Runs a test with programs, and ends those that it leaves running; a failure is told with what they said.
func withProcesses(_ body: (Processes) async throws -> Void) async throws {
    await turnstile.pass {
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
    }
}
