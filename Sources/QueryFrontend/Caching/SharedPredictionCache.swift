import ContainerRPC

/// What the cache holds at one moment.
package struct CacheStatistics: Hashable, Sendable {
    /// What is kept, in bytes, bookkeeping included.
    package var byteCount: Int
    /// The most that is kept, in bytes; 0 if the cache is off.
    package var capacityBytes: Int
    /// The number of entries.
    package var entries: Int
    /// How many entries made room for others since the beginning.
    package var evictions: Int
}

/// The prediction cache of a frontend: event loops look up, the dispatch thread inserts.
///
/// A look-up on an event loop costs no change of thread. Keys are hashed and entries copied before the lock is taken, and
/// what may take long (a large entry that displaces many small ones, the removal of a model) is done in pieces, between
/// which others can get the lock. What goes is released after the lock.
package final class SharedPredictionCache: Sendable {
    /// How many entries are looked at, at most, before the lock is let go.
    private static let pieceLength = 64

    private let cache: Locked<PredictionCache>
    /// The largest entry that is kept, in bytes; 0 if the cache is off.
    private let largestEntry: Int

    /// An empty cache of so many bytes; 0 or less turns it off.
    package init(capacityBytes: Int) {
        let empty = PredictionCache(capacityBytes: capacityBytes)
        largestEntry = empty.largestEntry
        cache = Locked(empty)
    }

    /// Whether anything is ever kept. If not, nobody needs a key, and no look-up takes the lock.
    package var isOn: Bool { largestEntry > 0 }

    /// The output that was kept for the key. It shares its memory with the input only, and may outlive the entry.
    package func output(for key: CacheKey) -> ArraySlice<UInt8>? {
        guard isOn else { return nil }
        return cache.withLock { $0.output(for: key) }
    }

    /// Keeps a copy of an output and of the key's input, in place of what was kept for the key. An entry larger than an
    /// eighth of the capacity is not kept.
    package func insert(_ output: ArraySlice<UInt8>, for key: CacheKey) {
        guard isOn else { return }
        let bytes = CacheEntry.byteCount(input: key.input.byteCount, output: output.count)
        let entry = bytes <= largestEntry ? CacheEntry(output, for: key) : nil
        inPieces { cache, removed in
            guard entry == nil || cache.makeRoom(for: bytes, steps: Self.pieceLength, removed: &removed) else {
                return false
            }
            cache.insert(entry, for: key, removed: &removed)
            return true
        }
    }

    /// Forgets all outputs of a model version. Those that are inserted meanwhile may stay.
    package func removeAll(of model: ModelHandle) {
        guard isOn else { return }
        var start = 0
        inPieces { cache, removed in
            let range = start..<(start + Self.pieceLength)
            start = range.upperBound
            return !cache.removeAll(of: model, amongSlots: range, removed: &removed)
        }
    }

    /// What the cache holds now.
    package var statistics: CacheStatistics {
        cache.withLock {
            CacheStatistics(
                byteCount: $0.byteCount, capacityBytes: $0.capacityBytes, entries: $0.count, evictions: $0.evictions)
        }
    }

    /// Calls `body` until it says that it is done, and after each call, without the lock, releases what was removed.
    private func inPieces(_ body: (_ cache: inout PredictionCache, _ removed: inout [CacheEntry]) -> Bool) {
        var removed: [CacheEntry] = []
        removed.reserveCapacity(4)
        while !cache.withLock({ body(&$0, &removed) }) { removed.removeAll(keepingCapacity: true) }
    }
}
