import Foundation
import Logging
import QueryFrontend
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs the frontend; says that it is ready once the signals are handled.
struct ReadyLine: Service {
    let addresses: FrontendAddresses
    let frontend: QueryFrontend
    let manager: ServiceManager?
    let logger: Logger

    func run() async throws {
        let line = "ready query=\(addresses.query) admin=\(addresses.admin) rpc=\(addresses.rpc)"
        do {
            // At once: a script waits for the line.
            try Terminal.send(line + "\n")
        } catch {
            // Whoever waits for it does so in vain, but clients and containers can be served all the same.
            logger.warning(
                "standard output cannot be written",
                metadata: ["line": "\(line)", "error": "\(Terminal.reason(of: error))"])
        }
        tell("READY=1")
        // Whoever asks a second time, by a signal, wants no answers to be waited for any more.
        try await withGracefulShutdownHandler {
            try await frontend.run()
        } onGracefulShutdown: {
            for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
            tell("STOPPING=1")
        }
    }

    private func tell(_ state: String) {
        guard let manager, !manager.tell(state) else { return }
        logger.warning("the service manager cannot be told", metadata: ["state": "\(state)", "to": "\(manager)"])
    }
}
