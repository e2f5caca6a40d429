import CPlatform

extension UnsafeBufferPointer {
    /// The processor's cache line, in bytes, of most that there are; where another holds, only time is lost.
    private static var lineByteCount: Int { 64 }

    /// Asks the processor for the memory of an element, and does not wait for it.
    func prefetch(_ index: Int) {
        guard indices.contains(index), let base = baseAddress else { return }
        let element = UnsafeRawPointer(base + index)
        for offset in stride(from: 0, to: MemoryLayout<Element>.size, by: Self.lineByteCount) {
            cplatform_prefetch(element + offset)
        }
    }
}
