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

/// How often it was told to stop.
private let stops = Atomic(0)
private let isDeafToSecond = Atomic(false)

/// A container with a fault: `wrong-container FLAW`. Its model adds numbers up, and hands strings back.
@main
struct WrongContainer {
    static func main() throws {
        let name = CommandLine.arguments.dropFirst().first ?? "none"
        guard let flaw = Flaw(rawValue: name) else {
            print("no such flaw: \(name); there are \(Flaw.allCases.map(\.rawValue).joined(separator: ", "))")
            exit(64)
        }
        isDeafToSecond.store(flaw == .deafToSecondSignal, ordering: .relaxed)
        signal(SIGTERM) { _ in
            let count = stops.wrappingAdd(1, ordering: .relaxed).newValue
            // Told a second time it ends at once, whatever it is at.
            if count > 1, !isDeafToSecond.load(ordering: .relaxed) { _exit(0) }
        }
        let container = FlawedContainer(flaw, environment: ProcessInfo.processInfo.environment)
        exit(try container.serve { stops.load(ordering: .relaxed) > 0 })
    }
}
