public import ContainerRPC

extension FrameList {
    /// Cuts an input into frames, each preceded by its length in 16 bits, little-endian. The last one may be shorter
    /// than it says; a lone byte at the end is no frame.
    public init(cutting input: ArraySlice<UInt8>) {
        self.init()
        var rest = input
        while let low = rest.popFirst(), let high = rest.popFirst() {
            let frame = rest.prefix(Int(low) | Int(high) << 8)
            frames.append(Array(frame))
            rest = rest.dropFirst(frame.count)
        }
    }
}
