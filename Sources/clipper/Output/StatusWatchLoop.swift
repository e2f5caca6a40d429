import ContainerRPC
import Foundation
import QueryFrontend

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// `clipper status --watch` at work: looks at the frontend, and draws what it saw, until it is interrupted.
struct StatusWatchLoop {
    private enum Event: Sendable {
        /// Drawing may wait for the terminal, so the time of an answer goes with it.
        case answered(FrontendStatus, json: String, at: MonotonicTime)
        case failed(CommandFailure)
        case signal(Int32)
    }

    /// How long a frontend may take to answer; it takes milliseconds.
    private static let patience = Duration.seconds(5)

    let address: FrontendAddress
    let interval: Duration
    /// Whether the frontend's JSON is printed instead.
    let printsJSON: Bool

    /// Runs until SIGINT, SIGTERM or SIGHUP, or until nobody reads the output.
    func run() async {
        let (events, sender) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(64))
        let isScreen = !printsJSON && Terminal.screen() != nil
        let ends = [SIGINT, SIGTERM, SIGHUP]
        let signals = Signals(isScreen ? ends + [SIGWINCH, SIGTSTP, SIGCONT] : ends) { sender.yield(.signal($0)) }
        let poll = Task { await self.poll { sender.yield($0) } }
        defer {
            poll.cancel()
            withExtendedLifetime(signals) {}
        }
        if isScreen { try? Terminal.send(Screen.enter) }
        let failure = await show(events)
        if isScreen { try? Terminal.send(Screen.leave) }
        if let failure { Terminal.end(failure) }
    }

    private func poll(_ report: (Event) -> Void) async {
        let client = AdministrationClient(
            address: address, transport: ImpatientTransport(base: HTTPTransport(), patience: Self.patience))
        while !Task.isCancelled {
            let next = ContinuousClock.now + interval
            do {
                let (status, json) = try await client.status()
                report(.answered(status, json: json, at: .now()))
            } catch let failure as CommandFailure {
                report(.failed(failure))
            } catch {
                report(.failed(CommandFailure(cause: .unreachable, message: "\(error)")))
            }
            try? await Task.sleep(until: next, clock: .continuous)
        }
    }

    /// - Returns: why nothing more can be shown, unless it was told to end.
    private func show(_ events: AsyncStream<Event>) async -> (any Error)? {
        var watch = StatusWatch(address: address.description, interval: interval)
        for await event in events {
            switch event {
            case .answered(let status, _, let time): watch.received(status, now: time)
            case .failed(let failure): watch.failed(failure.message, now: .now())
            case .signal(SIGTSTP): pause()
            case .signal(SIGWINCH), .signal(SIGCONT): break
            case .signal: return nil
            }
            do {
                try draw(event, watch)
            } catch {
                return error
            }
        }
        return nil
    }

    /// Draws on the screen, or prints where there is none.
    private func draw(_ event: Event, _ watch: StatusWatch) throws {
        if printsJSON {
            switch event {
            case .answered(_, let json, _): try Terminal.send(json + "\n")
            case .failed(let failure): Terminal.note(failure.json.text)
            case .signal: break
            }
        } else if let screen = Terminal.screen() {
            try Terminal.send(screen.drawing(watch.lines(now: .now(), columns: screen.columns)))
        } else {
            try Terminal.send(watch.block(now: .now()).map { $0.plain + "\n" }.joined() + "\n")
        }
    }

    /// Stops, as Ctrl-Z asks, with the terminal as it was, and goes on when told to.
    private func pause() {
        try? Terminal.send(Screen.leave)
        raise(SIGSTOP)
        try? Terminal.send(Screen.enter)
    }
}

/// Waits less long than it is asked to.
private struct ImpatientTransport: FrontendTransport {
    let base: any FrontendTransport
    let patience: Duration

    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        try await base.reply(to: request, at: address, patience: min(patience, self.patience))
    }
}
