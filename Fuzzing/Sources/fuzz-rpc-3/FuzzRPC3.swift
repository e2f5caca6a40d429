import ContainerRPC

/// What libFuzzer calls with each input: its first byte chooses the direction, the rest are frames.
///
/// Decoding must not trap, and what decodes must be encoded as the same frames, or as frames that decode to the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer's input is `count` bytes from `start` on for the length of this call; the array is a copy.
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let direction = input.first else { return 0 }
    let frames = FrameList(cutting: input.dropFirst())
    if direction.isMultiple(of: 2) {
        guard let message = try? RPC3.decodeContainerMessage(frames) else { return 0 }
        check(message, decodedFrom: frames)
    } else {
        guard let message = try? RPC3.decodeFrontendMessage(frames) else { return 0 }
        check(message, decodedFrom: frames)
    }
    return 0
}

private func check(_ message: ContainerMessage, decodedFrom frames: FrameList) {
    var encoded = FrameList()
    RPC3.encode(message, into: &encoded)
    guard encoded != frames else { return }
    // A registration may deviate from what is sent; every other message has one encoding only.
    guard case .newContainer = message, (try? RPC3.decodeContainerMessage(encoded)) == message else {
        fatalError("\(message) of \(frames) is encoded as \(encoded)")
    }
}

private func check(_ message: FrontendMessage, decodedFrom frames: FrameList) {
    var encoded = FrameList()
    switch message {
    case .heartbeat(let kind):
        RPC3.encode(kind, into: &encoded)
    case .request(let request):
        RPC3.encodeRequest(
            id: request.id, kind: request.kind, inputType: request.inputs.type, inputs: request.inputs.payloads,
            into: &encoded)
    }
    // Equal frames are the same message, which also holds for a NaN.
    guard encoded == frames else { fatalError("\(message) of \(frames) is encoded as \(encoded)") }
}

extension FrameList {
    /// Cuts an input into frames, each preceded by its length in 16 bits, little-endian. The last one may be shorter
    /// than it says; a lone byte at the end is no frame.
    fileprivate init(cutting input: ArraySlice<UInt8>) {
        self.init()
        var rest = input
        while let low = rest.popFirst(), let high = rest.popFirst() {
            let frame = rest.prefix(Int(low) | Int(high) << 8)
            frames.append(Array(frame))
            rest = rest.dropFirst(frame.count)
        }
    }
}
