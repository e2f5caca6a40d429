/// How many queries one batch for a model holds, in the one number that Clipper has for it.
package enum BatchSize: Sendable, Equatable {
    /// The scheduler chooses.
    case adaptive
    /// At most this many, at least one.
    case fixed(Int)

    /// Reads the wire's number: −1 is adaptive, a positive one is fixed; `nil` for another.
    package init?(wireValue: Int) {
        switch wireValue {
        case -1: self = .adaptive
        case 1...: self = .fixed(wireValue)
        default: return nil
        }
    }

    /// The wire's number.
    package var wireValue: Int {
        switch self {
        case .adaptive: -1
        case .fixed(let size): size
        }
    }
}

extension Batching {
    /// What a batch size alone asks for: that size, or as many as the deadline allows.
    package init(_ batchSize: BatchSize) {
        let limit: Limit =
            switch batchSize {
            case .adaptive: .deadline
            case .fixed(let size): .fixed(size)
            }
        self.init(limit: limit, maxBatch: Self.defaultMaxBatch(for: limit))
    }

    /// What whoever knows only Clipper's number is told: a fixed size, everything else is adaptive.
    package var batchSize: BatchSize {
        if case .fixed(let size) = limit { .fixed(size) } else { .adaptive }
    }

    /// The largest batch where none is given: never less than a fixed size.
    package static func defaultMaxBatch(for limit: Limit) -> Int {
        if case .fixed(let size) = limit { max(size, defaultMaxBatch) } else { defaultMaxBatch }
    }
}
