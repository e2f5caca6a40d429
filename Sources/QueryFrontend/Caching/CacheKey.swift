package import ContainerRPC

/// What an output is kept under: a model version and one input.
///
/// Keys are equal when their bytes are. The hash only finds the candidates; it is computed once, where the input is parsed,
/// outside of any lock.
package struct CacheKey: Sendable {
    /// The model version that is asked.
    package let model: ModelHandle
    /// The input in the wire's layout.
    package let input: Payload
    /// The hash of both, seeded anew in each process, so that nobody can send inputs that collide.
    package let hash: Int

    /// Hashes model and input.
    package init(model: ModelHandle, input: Payload) {
        self.init(model: model, input: input, inputHash: Self.hash(of: input))
    }

    /// A key of an input that several models are asked for, hashed once.
    package init(model: ModelHandle, input: Payload, inputHash: Int) {
        // An odd factor keeps the hashes of one input apart (Fibonacci hashing).
        let factor = UInt(truncatingIfNeeded: 0x9E37_79B9_7F4A_7C15 as UInt64)
        let mixed = UInt(bitPattern: inputHash) &+ UInt(bitPattern: model.index) &* factor
        self.init(model: model, input: input, hash: Int(bitPattern: mixed))
    }

    /// The hash of an input alone.
    package static func hash(of input: Payload) -> Int {
        var hasher = Hasher()
        hasher.combine(input)
        return hasher.finalize()
    }

    /// A key with a given hash. Equal keys must have equal hashes.
    init(model: ModelHandle, input: Payload, hash: Int) {
        self.model = model
        self.input = input
        self.hash = hash
    }
}

extension CacheKey: Hashable {
    package static func == (left: CacheKey, right: CacheKey) -> Bool {
        left.hash == right.hash && left.model == right.model && left.input == right.input
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(hash)
    }
}
