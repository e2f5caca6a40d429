import Dispatch

/// Holds back whoever comes until it is opened. Threads of their own wait at it: those of models, and of logs.
package struct Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    /// A gate that is closed.
    package init() {}

    /// Lets all pass, now and later.
    package func open() { semaphore.signal() }

    /// Waits until it is open.
    package func wait() {
        semaphore.wait()
        // The next one may pass, too.
        semaphore.signal()
    }
}
