import ContainerRPC
import Dispatch
import Foundation

/// What has to be undone when the kit is interrupted: processes that run, names that are registered with a frontend.
package final class CleanUps: Sendable {
    /// Those of this process.
    package static let shared = CleanUps()

    private struct State {
        var isOver = false
        var last = 0
        var actions: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Locked(State())

    init() {}

    /// Whether the kit is interrupted: what fails from now on tells nothing.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Begins something, and keeps what undoes it until that is removed.
    ///
    /// - Parameter begin: returns what undoes it, too. Nothing else begins meanwhile, nor is the kit interrupted between.
    /// - Returns: what was begun, and what its clean-up is removed by.
    /// - Throws: what `begin` throws; `CancellationError` where the kit is interrupted: nothing is begun then.
    func add<Value: Sendable>(
        _ begin: () throws -> (Value, undo: @Sendable () -> Void)
    ) throws -> (Value, number: Int) {
        try state.withLock { state in
            guard !state.isOver else { throw CancellationError() }
            let (value, undo) = try begin()
            state.last += 1
            state.actions[state.last] = undo
            return (value, state.last)
        }
    }

    /// There is nothing left to undo.
    func remove(_ number: Int) {
        state.withLock { _ = $0.actions.removeValue(forKey: number) }
    }

    /// Undoes everything, at once: for a kit that is interrupted. Nothing is begun any more.
    ///
    /// - Parameter limit: how long that may take.
    package func run(within limit: Duration) {
        let actions = state.withLock { state in
            state.isOver = true
            return Array(state.actions.values)
        }
        let done = DispatchGroup()
        for action in actions {
            done.enter()
            Thread {
                action()
                done.leave()
            }.start()
        }
        _ = done.wait(timeout: .now() + limit.inSeconds)
    }
}
