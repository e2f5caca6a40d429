import ContainerRPC
import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a program prints, of which the end is kept. It comes through a pipe that is read as it fills: a program that prints
/// without an end neither waits for a reader nor fills a disk.
final class ProgramOutput: Sendable {
    private struct State {
        /// Closes the pipe when it is cancelled; `nil` then.
        var source: (any DispatchSourceRead)?
        var end: [UInt8] = []

        mutating func stop() {
            source?.cancel()
            source = nil
        }
    }

    /// So many bytes are kept.
    static let longest = 6_000

    /// What the program is given to write to.
    let writingEnd: Int32
    private let readingEnd: Int32
    private let state: Locked<State>

    /// - Throws: `Command.Unstartable` where the system has no pipe left.
    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw Command.Unstartable("there is no pipe for what it prints: \(String(cString: strerror(errno)))")
        }
        let readingEnd = ends[0]
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(readingEnd, F_SETFL, O_NONBLOCK)
        (self.readingEnd, writingEnd) = (readingEnd, ends[1])
        state = Locked(State(source: DispatchSource.makeReadSource(fileDescriptor: readingEnd, queue: .global())))
        state.withLock { state in
            state.source?.setEventHandler { [weak self] in self?.drain() }
            state.source?.setCancelHandler { close(readingEnd) }
            state.source?.resume()
        }
    }

    /// The end of what has been printed so far; bytes that are no UTF-8 are replaced.
    var end: String {
        drain()
        return String(decoding: state.withLock { $0.end }, as: UTF8.self)
    }

    /// The program has its own; without this one the pipe ends with it.
    func closeWritingEnd() {
        _ = close(writingEnd)
    }

    /// Reads no more.
    func stop() {
        state.withLock { $0.stop() }
    }

    private func drain() {
        state.withLock { state in
            guard state.source != nil else { return }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            // Who prints without an end would keep the lock for good.
            for _ in 0..<16 {
                let count = read(readingEnd, &buffer, buffer.count)
                if count == 0 { state.stop() }
                guard count > 0 else { return }
                state.end += buffer[..<count].suffix(Self.longest)
                state.end.removeFirst(max(0, state.end.count - Self.longest))
            }
        }
    }
}
