import Dispatch

/// Holds back whoever comes until it is opened. Models wait at it, which have a thread of their own.
struct Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    func wait() {
        semaphore.wait()
        // The next one may pass, too.
        semaphore.signal()
    }
}
