import ContainerRPC
import DequeModule

/// The connections to the RPC port, and which of them have to go where they are too many.
///
/// libzmq accepts every connection, and has no bound of its own: without a descriptor left its thread spins, and nobody can
/// connect any more, clients neither. So one connection too many costs the one by which nothing has come for longest since
/// it was accepted. Containers speak at once; a scanner, or a program that leaks connections, does not.
struct ContainerConnections: Sendable {
    private enum State: Equatable {
        /// Nothing has come by it. The number counts acceptances: descriptors are used again.
        case silent(Int)
        case heard
        /// It was told to go, and is not gone yet.
        case cut
    }

    private let most: Int
    private var states: [Int32: State] = [:]
    private var cutCount = 0
    private var acceptances = 0
    /// Those that were silent when they were accepted, in that order; what has become of them is in `states`.
    private var accepted: Deque<(descriptor: Int32, acceptance: Int)> = []

    /// - Parameter most: how many there may be.
    init(most: Int) {
        self.most = most
    }

    /// How many there are, but for those that were told to go.
    var count: Int { states.count - cutCount }

    /// Whether a connection was told to go, and is not gone yet.
    func isCut(_ descriptor: Int32) -> Bool { states[descriptor] == .cut }

    /// How many are kept in the order in which they were accepted.
    var waitingCount: Int { accepted.count }

    /// Something was accepted, or is gone.
    ///
    /// - Returns: the descriptor of the connection that is to be cut.
    mutating func note(_ event: ConnectionEvent) -> Int32? {
        switch event {
        case .accepted(let descriptor):
            forget(descriptor)
            acceptances += 1
            states[descriptor] = .silent(acceptances)
            accepted.append((descriptor, acceptances))
            return takeExcess()
        case .disconnected(let descriptor):
            forget(descriptor)
        case .ready:
            break
        }
        return nil
    }

    /// A message has come by a connection.
    mutating func noteMessage(by descriptor: Int32) {
        if case .silent = states[descriptor] { states[descriptor] = .heard }
    }

    /// A connection is to go for what came by it.
    ///
    /// - Returns: whether it is there, and was not told to go already.
    mutating func cut(_ descriptor: Int32) -> Bool {
        guard let state = states[descriptor], state != .cut else { return false }
        states[descriptor] = .cut
        cutCount += 1
        return true
    }

    private mutating func forget(_ descriptor: Int32) {
        if states.removeValue(forKey: descriptor) == .cut { cutCount -= 1 }
    }

    private mutating func takeExcess() -> Int32? {
        // Those that spoke, or left, stay in the queue while one before them is silent: no more of them than of others.
        if accepted.count > 2 * states.count + 64 { accepted = Deque(accepted.filter(isSilent)) }
        guard count > most else { return nil }
        while let oldest = accepted.popFirst() {
            guard isSilent(oldest) else { continue }
            states[oldest.descriptor] = .cut
            cutCount += 1
            return oldest.descriptor
        }
        return nil
    }

    private func isSilent(_ connection: (descriptor: Int32, acceptance: Int)) -> Bool {
        states[connection.descriptor] == .silent(connection.acceptance)
    }
}
