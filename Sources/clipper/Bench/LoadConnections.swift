import ContainerRPC
import DequeModule
import PlainHTTP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension LoadEngine {
    /// Opens all connections, before the run starts.
    ///
    /// - Throws: ``CommandFailure`` where one cannot be opened.
    mutating func openAll() throws {
        let limit = MonotonicTime.now().nanoseconds + plan.connectPatience
        var begun = 0
        while openCount < connections.count {
            while begun < connections.count, begun - openCount < Self.mostConnecting {
                open(begun)
                begun += 1
            }
            if let outage {
                throw CommandFailure(
                    cause: openFailure, message: "connection \(openCount + 1) could not be opened: \(outage)",
                    advice: openCount == 0
                        ? nil : "Fewer --connections may help, or a higher limit of open files (`ulimit -n`).")
            }
            guard MonotonicTime.now().nanoseconds < limit, !stop.isSet else {
                throw CommandFailure(
                    cause: openFailure,
                    message: "only \(openCount) of \(connections.count) connections could be opened",
                    advice: "The frontend takes so many (`clipper serve --max-connections`), or its machine does.")
            }
            readiness.wait(until: MonotonicTime.now().nanoseconds + Self.tick, isDue: false)
            for token in readiness.ready { handle(token) }
        }
    }

    /// A frontend that has taken some of the connections is there.
    private var openFailure: CommandFailure.Cause { openCount > 0 ? .refused(status: nil) : .unreachable }

    mutating func open(_ index: Int) {
        do {
            let (descriptor, isOpen) = try TCP.connect(to: endpoint)
            connections[index].descriptor = descriptor
            connections[index].generation &+= 1
            connections[index].state = .connecting
            try readiness.add(descriptor, token: connections[index].token(index: index), output: !isOpen)
            if isOpen { finishConnecting(index) }
        } catch {
            openFailed(index, TCP.text(of: error.code))
        }
    }

    mutating func finishConnecting(_ index: Int) {
        let code = TCP.connectError(of: connections[index].descriptor)
        guard code == 0 else { return openFailed(index, TCP.text(of: code)) }
        watch(index, output: false)
        connections[index].isProven = false
        openCount += 1
        outage = nil
        // The first requests wait until all are open.
        if isOpening {
            connections[index].state = .idle
            connections[index].isQueued = true
            idle.append(index)
        } else {
            free(index)
        }
    }

    mutating func openFailed(_ index: Int, _ text: String) {
        closeSocket(index)
        toReopen.append((elapsed() + Self.reopenDelay, index))
        guard openCount == 0 || isOpening else { return }
        outage = text
        let now = elapsed()
        while let due = waiting.popFirst() { statistics.record(failure: text, due: due, at: now) }
    }

    /// Closes a connection and opens it anew; one that never brought an answer, after a pause.
    mutating func reopen(_ index: Int) {
        openCount -= 1
        let isProven = connections[index].isProven
        closeSocket(index)
        if isProven { open(index) } else { toReopen.append((elapsed() + Self.reopenDelay, index)) }
    }

    mutating func closeSocket(_ index: Int) {
        if connections[index].descriptor >= 0 {
            readiness.remove(connections[index].descriptor)
            close(connections[index].descriptor)
        }
        connections[index].descriptor = -1
        connections[index].state = .closed
        connections[index].received = []
        connections[index].unsent = []
    }

    mutating func watch(_ index: Int, output: Bool) {
        let connection = connections[index]
        // It fails for no descriptor that was added and is open.
        try? readiness.change(connection.descriptor, token: connection.token(index: index), output: output)
    }
}
