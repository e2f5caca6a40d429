/// How many queries a batch for a model may hold.
///
/// The place for policies that learn a limit from deadlines and latencies; until they exist, an adaptive model has
/// the default.
enum BatchLimit: Hashable, Sendable {
    case fixed(Int)

    /// The limit of a model registered with batch size −1.
    static let adaptiveDefault = BatchLimit.fixed(64)

    /// The largest batch that may be sent now.
    var current: Int {
        switch self {
        case .fixed(let size): size
        }
    }
}
