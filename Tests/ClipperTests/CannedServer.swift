import ContainerRPC
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A server of HTTP in few lines: a thread for each connection, canned answers.
final class CannedServer: Sendable {
    /// What becomes of a request.
    enum Reaction {
        case answer(String)
        case silence
        /// The text, and then a byte now and then, without an end.
        case drip(String)
        /// The connection is closed.
        case close
        /// The text, and then the connection is closed.
        case cut(String)
        /// The connection is reset, as by the end of a process that had not read all.
        case reset
        /// All of them are, and no other is taken.
        case stop
    }

    private struct State {
        var count = 0
        var isStopped = false
        var requests: [String] = []
        var descriptors: Set<Int32> = []
    }

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let react: @Sendable (_ count: Int) -> Reaction

    /// - Parameters:
    ///   - backlog: no connection is taken, and about so many may wait for it; `nil`: all are taken.
    ///   - react: what becomes of the n-th request, from 0.
    init(backlog: Int32? = nil, _ react: @escaping @Sendable (_ count: Int) -> Reaction) throws {
        self.react = react
        #if canImport(Darwin)
            listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, backlog ?? 128) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isBound else { throw TransportError("bind", code: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard backlog == nil else { return }
        let accept: @Sendable () -> Void = { [weak self] in
            while true {
                let descriptor = Self.accept(listener)
                guard descriptor >= 0, let self, self.keep(descriptor) else { break }
                Thread { [weak self] in self?.serve(descriptor) }.start()
            }
            close(listener)
        }
        Thread { accept() }.start()
    }

    deinit {
        stop()
    }

    /// The bodies of the requests so far.
    var requests: [String] { state.withLock { $0.requests } }

    private static func accept(_ listener: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.accept(listener, nil, nil)
        #else
            Glibc.accept(listener, nil, nil)
        #endif
    }

    private func keep(_ descriptor: Int32) -> Bool {
        state.withLock { state in
            if state.isStopped { close(descriptor) } else { state.descriptors.insert(descriptor) }
            return !state.isStopped
        }
    }

    private func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for descriptor in state.descriptors.union([listener]) { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// Forgets a descriptor before its number is given away again.
    private func drop(_ descriptor: Int32) {
        state.withLock { state in
            state.descriptors.remove(descriptor)
            close(descriptor)
        }
    }

    /// Reads requests whose bodies end with the first brace.
    private func serve(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var request: [UInt8] = []
        defer { drop(descriptor) }
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            request += buffer[..<count]
            guard request.last == UInt8(ascii: "}") else { continue }
            let text = String(decoding: request, as: UTF8.self)
            request = []
            let number = state.withLock { state in
                state.requests.append(text.components(separatedBy: "\r\n\r\n").last ?? "")
                state.count += 1
                return state.count - 1
            }
            switch react(number) {
            case .answer(let answer): write(answer, to: descriptor)
            case .silence: break
            case .drip(let beginning):
                write(beginning, to: descriptor)
                return drip(on: descriptor)
            case .close: return
            case .reset:
                // Closed with no time to linger, a connection is reset.
                var setting = linger(l_onoff: 1, l_linger: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
                return
            case .cut(let beginning): return write(beginning, to: descriptor)
            case .stop: return stop()
            }
        }
    }

    /// Sends a byte now and then until the client has enough.
    private func drip(on descriptor: Int32) {
        var news = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&news, 1, 10) == 0 { write("x", to: descriptor) }
    }

    private func write(_ answer: String, to descriptor: Int32) {
        var rest = Array(answer.utf8)[...]
        while !rest.isEmpty {
            #if canImport(Darwin)
                let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
            #else
                let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            #endif
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
