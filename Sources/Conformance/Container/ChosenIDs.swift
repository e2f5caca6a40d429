import ContainerRPC

/// The routing ids that the containers of a run have chosen: no two processes may have the same.
final class ChosenIDs: Sendable {
    private struct Book {
        var owners: [RoutingID: Int] = [:]
        var processes = 0
        var hasTold = false
    }

    private let book = Locked(Book())

    /// A process is started.
    ///
    /// - Returns: its number.
    func beginProcess() -> Int {
        book.withLock { book in
            book.processes += 1
            return book.processes
        }
    }

    /// Notes who has chosen an id.
    ///
    /// - Returns: false where another process had chosen it, but once only: one fault is not told in every scenario.
    func claim(_ id: RoutingID, by process: Int) -> Bool {
        book.withLock { book in
            let owner = book.owners[id, default: process]
            book.owners[id] = owner
            guard owner != process, !book.hasTold else { return true }
            book.hasTold = true
            return false
        }
    }
}
