import ContainerRPC
import Dispatch
import Foundation

/// Does something for each element, several at a time, each on a thread that may wait.
func inParallel<Element: Sendable>(
    _ elements: [Element], jobs: Int, _ body: @escaping @Sendable (Element) -> Void
) {
    let queue = Locked(elements[...])
    let done = DispatchGroup()
    for _ in 0..<min(max(1, jobs), elements.count) {
        done.enter()
        let thread = Thread {
            while let element = queue.withLock({ $0.popFirst() }) { body(element) }
            done.leave()
        }
        thread.stackSize = 8 << 20
        thread.start()
    }
    done.wait()
}
