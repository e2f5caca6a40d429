import ContainerRPC
import FuzzInput

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
    RPC3.encode(message, into: &encoded)
    // Equal frames are the same message, which also holds for a NaN.
    guard encoded == frames else { fatalError("\(message) of \(frames) is encoded as \(encoded)") }
}
