import ContainerRPC
import FuzzInput

/// What libFuzzer calls with each input: its first byte chooses the direction, the rest are frames.
///
/// Decoding must not trap, and what decodes must be encoded as frames that decode to the same. They may be other ones: a
/// receiver skips fields that it does not know.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer's input is `count` bytes from `start` on for the length of this call; the array is a copy.
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let direction = input.first else { return 0 }
    let frames = FrameList(cutting: input.dropFirst())
    // Ending the process is how a fuzzer tells a finding.
    var first = FrameList()
    var second = FrameList()
    if direction.isMultiple(of: 2) {
        guard let message = try? RPC4.decodeContainerMessage(frames) else { return 0 }
        RPC4.encode(message, into: &first)
        guard let again = try? RPC4.decodeContainerMessage(first) else { fatalError("\(message) cannot be read back") }
        RPC4.encode(again, into: &second)
    } else {
        guard let message = try? RPC4.decodeFrontendMessage(frames) else { return 0 }
        RPC4.encode(message, into: &first)
        guard let again = try? RPC4.decodeFrontendMessage(first) else { fatalError("\(message) cannot be read back") }
        RPC4.encode(again, into: &second)
    }
    // Equal frames are the same message, which also holds for a NaN.
    guard first == second else { fatalError("\(frames) is encoded as \(first), and that as \(second)") }
    return 0
}
