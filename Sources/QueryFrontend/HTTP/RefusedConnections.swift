import NIOCore
import Synchronization

/// Connections that are too many, and stay until they have heard it.
///
/// What the client still sends is thrown away for a moment: closing at once would make the system reset the connection,
/// and with it the answer. But those that stay take descriptors, which are short by then: so they are few.
final class RefusedConnections: Sendable {
    private static let mostAtATime = 64
    private static let patience = TimeAmount.milliseconds(500)

    private let count = Atomic<Int>(0)

    /// How long a connection may stay behind the answer. It counts until it is closed.
    func patience(for channel: any Channel) -> TimeAmount {
        let isOneOfFew = count.wrappingAdd(1, ordering: .relaxed).newValue <= Self.mostAtATime
        channel.closeFuture.whenComplete { [self] _ in count.wrappingSubtract(1, ordering: .relaxed) }
        return isOneOfFew ? Self.patience : .zero
    }
}
