import ContainerRPC

/// What the network does: connections begin, carry messages in order and end, for each side in its own time.
extension Simulation {
    /// How long something takes from one side to the other.
    private mutating func delay() -> Int64 {
        let delay = random.nanoseconds(scenario.network.delay)
        return random.chance(scenario.network.slowShare) ? delay * 10 : delay
    }

    /// When something that a side sends now arrives at the other.
    private mutating func arrival(_ container: Int) -> MonotonicTime {
        let sent = max(now, containers[container].blockedUntil)
        return MonotonicTime(nanoseconds: sent.nanoseconds + delay())
    }

    // MARK: Connections

    /// The container opens a socket.
    mutating func open(_ container: Int) {
        let number = connections.count
        let plan = containers[container].plan
        let peer: RoutingID =
            plan.keepsRoutingID
            ? .ofContainer(container, offering: plan.offered) : .ofConnection(number, offering: plan.offered)
        connections.append(Connection(container: container, peer: peer))
        containers[container].connection = number
        note(.opened, container, number)
        at(arrival(container), .attempt(connection: number))
    }

    /// A connection request arrives at the frontend, if that is there.
    mutating func attempt(_ number: Int) {
        let container = connections[number].container
        guard connections[number].isOpenAtContainer else { return }
        guard frontend.isRunning, containers[container].blockedUntil <= now else {
            return after(random.nanoseconds(3 * millisecond...20 * millisecond), .attempt(connection: number))
        }
        let (descriptor, isReused) = frontend.takeDescriptor()
        if isReused { occurrences[.descriptorsReused] += 1 }
        let last = connections.lastIndex { $0.frontend == frontend.number && $0.descriptor == descriptor }
        connections[number].isLikeTheLast = last.map { connections[$0].hasUnread } ?? false
        if connections[number].peer.container != nil {
            let newest = newestConnections[container]
            if newest >= 0 {
                // libzmq leaves a second connection under the same id alone until the first is gone.
                connections[number].isMute = connections[newest].isOpenAtFrontend
                if !connections[number].isMute { occurrences[.ownRoutingIDsReused] += 1 }
                if connections[newest].descriptor == descriptor { connections[number].isLikeTheLast = true }
            }
        }
        if !connections[number].isMute { newestConnections[container] = number }
        connections[number].frontend = frontend.number
        connections[number].descriptor = descriptor
        connections[number].isOpenAtFrontend = true
        connections[number].lastHeard = now
        note(.accepted, number, container, Int(descriptor))
        frontend.monitored.append(.accepted(descriptor: descriptor))
        frontend.monitored.append(.ready)
        wakeFrontend()
        send(to: container, by: number, .connected(connection: number))
    }

    /// The container closes its socket; what it has sent arrives before the end does.
    mutating func close(_ number: Int) {
        guard connections[number].isOpenAtContainer else { return }
        connections[number].isOpenAtContainer = false
        note(.closed, connections[number].container, number)
        if connections[number].isOpenAtFrontend { end(number, atFrontend: true) }
    }

    /// The process at the other end has lost the connection, and is told.
    private mutating func end(_ number: Int, atFrontend: Bool) {
        let container = connections[number].container
        if atFrontend {
            let time = max(arrival(container), connections[number].lastArrivalAtFrontend)
            connections[number].lastArrivalAtFrontend = time
            at(time, .lostAtFrontend(connection: number))
        } else {
            let time = max(arrival(container), connections[number].lastArrivalAtContainer)
            connections[number].lastArrivalAtContainer = time
            at(time, .lostAtContainer(connection: number))
        }
    }

    /// The connection breaks: both sides hear of it, each in its time, and what is under way is lost.
    mutating func reset(_ number: Int) {
        connections[number].isTroubled = true
        connections[number].losesToFrontend = true
        connections[number].losesToContainer = true
        if connections[number].isOpenAtFrontend { end(number, atFrontend: true) }
        if connections[number].isOpenAtContainer { end(number, atFrontend: false) }
    }

    /// The container's process is gone, and its connection with it.
    mutating func breakOff(_ number: Int) {
        // The system may have sent what the process has written, or not.
        connections[number].losesToFrontend = random.chance(0.5)
        connections[number].isTroubled = true
        close(number)
    }

    /// The frontend's process is gone, and its connections with it.
    mutating func endConnectionsOfFrontend() {
        for number in connections.indices where connections[number].isOpenAtFrontend {
            connections[number].isOpenAtFrontend = false
            connections[number].unread = []
            connections[number].nextUnread = 0
            if connections[number].isOpenAtContainer { end(number, atFrontend: false) }
        }
    }

    mutating func frontendLoses(_ number: Int) {
        // A frontend that is gone had it; or it has been lost before.
        guard connections[number].isOpenAtFrontend else { return }
        connections[number].isOpenAtFrontend = false
        let descriptor = connections[number].descriptor
        note(.lostAtFrontend, number, connections[number].container, Int(descriptor))
        frontend.giveBack(descriptor)
        frontend.monitored.append(.disconnected(descriptor: descriptor))
        oracle.connectionLost(number)
        wakeFrontend()
    }

    // MARK: Messages

    /// A container says something.
    mutating func say(_ speech: ContainerSpeech, by number: Int) {
        // Before the connection stands nothing is queued (ZMQ_IMMEDIATE), and after its end nothing leaves.
        guard connections[number].isOpenAtFrontend else { return }
        let time = max(arrival(connections[number].container), connections[number].lastArrivalAtFrontend)
        connections[number].lastArrivalAtFrontend = time
        at(time, .toFrontend(connection: number, speech))
    }

    mutating func arriveAtFrontend(_ number: Int, _ speech: ContainerSpeech) {
        guard connections[number].isOpenAtFrontend, !connections[number].losesToFrontend else { return }
        guard !connections[number].isMute else { return }
        if !connections[number].hasUnread { frontend.readable.append(number) }
        connections[number].unread.append(speech)
        wakeFrontend()
    }

    private mutating func send(to container: Int, by number: Int, _ event: Event) {
        let time = max(arrival(container), connections[number].lastArrivalAtContainer)
        connections[number].lastArrivalAtContainer = time
        at(time, event)
    }

    /// The frontend's socket is given a message for a peer.
    mutating func send(_ message: FrontendMessage, in version: RPCVersion, to peer: RoutingID) -> SendOutcome {
        oracle.told(message, in: version, peer, at: now)
        let number: Int
        if let connection = peer.connection {
            number = connection
        } else if let container = peer.container, newestConnections[container] >= 0 {
            number = newestConnections[container]
        } else {
            return .unreachable
        }
        guard connections[number].isOpenAtFrontend else {
            occurrences[.unreachablePeers] += 1
            return .unreachable
        }
        let container = connections[number].container
        if now < containers[container].isFullUntil {
            connections[number].lastRefusal = now
            connections[number].isTroubled = true
            occurrences[.fullPipes] += 1
            return .full
        }
        note(.told, number, Int(version.rawValue), Oracle.name(of: message))
        switch message {
        case .goodbye:
            if connections[number].wasToldGoodbye, !connections[number].wasReleased, connections[number].isBeyondDoubt {
                oracle.violate("container \(container) is told goodbye twice in a session", at: now)
            }
            connections[number].wasToldGoodbye = true
        case .refused: connections[number].wasRefused = true
        case .heartbeat, .request, .welcome, .accepted, .feedback, .notice: break
        }
        send(to: container, by: number, .toContainer(connection: number, message, in: version))
        return .sent
    }
}
