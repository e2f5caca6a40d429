import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Signals that a command takes over, as long as this is kept.
final class Signals {
    private let sources: [any DispatchSourceSignal]
    private let numbers: [Int32]

    /// - Parameters:
    ///   - numbers: of the signals, whose default action then is not taken.
    ///   - receive: gets each that comes.
    init(_ numbers: [Int32], receive: @escaping @Sendable (Int32) -> Void) {
        self.numbers = numbers
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { receive(number) }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in numbers { signal(number, SIG_DFL) }
    }
}

/// Ends a run early, from any thread.
final class StopSignal: Sendable {
    private let number = Atomic<Int32>(0)
    /// Whether the run is to end.
    var isSet: Bool { signal != nil }
    /// The system's signal that ends it.
    var signal: Int32? {
        let number = number.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }
    /// Ends it.
    func set(_ signal: Int32 = SIGINT) { number.store(signal, ordering: .relaxed) }
}
