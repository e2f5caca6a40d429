import ContainerRPC
import Foundation

extension Context {
    /// How long the last messages may take to leave once nobody is to wait for them any more.
    private static let shortWait = Duration.milliseconds(600)

    /// Ends the context, and waits until the last answers have left, for as long as their linger allows.
    ///
    /// libzmq waits for more than them: where a server of names does not answer that it has asked, for that. So it ends on a
    /// thread of its own, which the end of the program takes along.
    ///
    /// - Parameter hurry: ends once nobody is to wait for long; so it is where the task is cancelled.
    func end(hurry: AsyncStream<Never>? = nil) async {
        let (ended, end) = AsyncStream.makeStream(of: Never.self)
        let (cancelled, cancel) = AsyncStream.makeStream(of: Never.self)
        let thread = Thread {
            self.terminate()
            end.finish()
        }
        thread.start()
        // A task of its own: in one that is cancelled nothing could be waited for.
        let waiting = Task {
            await withTaskGroup { group in
                group.addTask { for await _ in ended {} }
                for reason in [hurry, cancelled].compactMap(\.self) {
                    group.addTask {
                        for await _ in reason {}
                        // It throws where the context has ended meanwhile, and nobody waits any more.
                        try? await Task.sleep(for: Self.shortWait)
                    }
                }
                await group.next()
                group.cancelAll()
            }
        }
        await withTaskCancellationHandler {
            await waiting.value
        } onCancel: {
            cancel.finish()
        }
    }
}
