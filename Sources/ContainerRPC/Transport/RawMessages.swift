// For the conformance kit and for tests, which play the other side: messages as bytes, right or wrong.

extension Socket {
    /// Sends a message of these frames to a peer of a ROUTER, whatever they say.
    package func send(frames: [[UInt8]], to peer: RoutingID) throws(TransportError) -> SendOutcome {
        try send(parts: [peer.bytes] + frames)
    }

    /// Sends a message of these frames from a DEALER, whatever they say.
    package func send(frames: [[UInt8]]) throws(TransportError) -> SendOutcome {
        try send(parts: frames)
    }
}

extension FrameSource where Self: ~Copyable {
    /// A copy of all frames.
    package var copiedFrames: [[UInt8]] {
        (0..<frameCount).map { index in
            // Only the body could throw.
            (try? withFrame(index) { (bytes) throws(WireError) in [UInt8](copying: bytes) }) ?? []
        }
    }
}
