import ContainerRPC
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

private let isToldToStop = Atomic(false)

/// A container with a fault: `wrong-container FLAW`. Its model adds numbers up, and hands strings back.
@main
struct WrongContainer {
    static func main() throws {
        let name = CommandLine.arguments.dropFirst().first ?? "none"
        guard let flaw = Flaw(rawValue: name) else {
            print("no such flaw: \(name); there are \(Flaw.allCases.map(\.rawValue).joined(separator: ", "))")
            exit(64)
        }
        signal(SIGTERM) { _ in isToldToStop.store(true, ordering: .relaxed) }
        let container = FlawedContainer(flaw, environment: ProcessInfo.processInfo.environment)
        exit(try container.serve { isToldToStop.load(ordering: .relaxed) })
    }
}
