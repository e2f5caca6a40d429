import ContainerRPC

/// A played container's DEALER, which is connected, or will be.
final class DealerSocket {
    let socket: Socket
    let offersVersion4: Bool
    private var message: ReceivedMessage

    init(_ endpoint: String, offersVersion4: Bool, in context: Context) throws {
        socket = try Socket(.dealer, in: context)
        message = socket.makeMessage()
        self.offersVersion4 = offersVersion4
        if offersVersion4 {
            var generator = SystemRandomNumberGenerator()
            try socket.setRoutingID(.offeringVersion4(using: &generator))
        }
        try socket.connect(endpoint)
    }

    func receive(until deadline: MonotonicTime) throws -> [[UInt8]]? {
        while true {
            if try socket.receive(into: &message) { return message.copiedFrames }
            let left = deadline - .now()
            guard left > .zero else { return nil }
            _ = try waitForInput([try socket.descriptor()], timeout: left)
        }
    }
}
