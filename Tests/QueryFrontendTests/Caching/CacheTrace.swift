import ContainerRPC
import Testing

@testable import QueryFrontend

/// Which items are asked for, one after the other.
struct CacheTrace: CustomTestStringConvertible {
    enum Kind: String, CaseIterable {
        /// Items by Zipf's law: the k-th most frequent with a probability proportional to 1/k.
        case zipf = "Zipf(1.0)"
        /// The same, and now and then a scan: items that are asked for once, one after the other.
        case scans = "Zipf(1.0) with scans"
        /// Zipf's law, and items of very different lengths.
        case lengths = "Zipf(1.0), 16 B to 4 KB"
    }

    let kind: Kind
    let seed: UInt64
    /// Items by number; those of scans follow the others.
    let requests: [Int]

    /// How many items there are beside the scans'.
    static let items = 10_000
    /// A scan comes after so many requests by Zipf's law, and has so many of its own.
    static let scanInterval = 5_000
    static let scanLength = 2_500

    init(_ kind: Kind, requests count: Int, seed: UInt64) {
        self.kind = kind
        self.seed = seed
        var generator = SplitMix64(seed: seed)
        var sum = 0.0
        let sums = (1...Self.items).map { rank in
            sum += 1 / Double(rank)
            return sum
        }
        var requests: [Int] = []
        var scanned = Self.items
        for turn in 1...count {
            let point = Double.random(in: 0..<sum, using: &generator)
            requests.append(sums.partitioningIndex { $0 > point })
            if kind == .scans, turn % Self.scanInterval == 0 {
                requests += scanned..<(scanned + Self.scanLength)
                scanned += Self.scanLength
            }
        }
        self.requests = requests
    }

    var testDescription: String { "\(kind.rawValue), seed \(seed)" }

    /// The length of an item's input, in bytes.
    func inputLength(of item: Int) -> Int {
        guard kind == .lengths else { return 64 }
        // Equally often in each power of two, whatever the item's rank.
        var generator = SplitMix64(seed: UInt64(item) &* 31 &+ seed)
        return 16 << Int.random(in: 0...8, using: &generator)
    }

    /// The bytes that all items would take which are asked for by Zipf's law.
    var byteCount: Int {
        (0..<Self.items).reduce(0) { $0 + CacheEntry.byteCount(input: inputLength(of: $1), output: 8) }
    }
}

extension [Double] {
    /// The first index whose element fulfils the condition, if all those after it do and none before it does.
    fileprivate func partitioningIndex(_ isBeyond: (Double) -> Bool) -> Int {
        var (low, high) = (0, count - 1)
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
