import Testing

/// How long a test waits for what must come. It comes within milliseconds; only a failing test, or a machine that has
/// far too much to do, waits that long.
let patience: Duration = .seconds(180)

/// Something that had to come did not.
struct NotInTime: Error, CustomStringConvertible {
    let what: String

    var description: String { "within \(patience) this did not happen: \(what)" }
}

/// Asks again and again until there is an answer.
///
/// - Parameter what: what is waited for, for the one who reads that it did not come.
/// - Throws: `NotInTime`, and what the probe throws.
func eventually<Value>(_ what: @autoclosure () -> String, _ probe: () async throws -> Value?) async throws -> Value {
    let end = ContinuousClock.now + patience
    while true {
        if let value = try await probe() { return value }
        guard ContinuousClock.now < end else { throw NotInTime(what: what()) }
        // Leaves the thread to others between two looks.
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// Asks again and again until the condition holds.
///
/// - Throws: `NotInTime`, and what the condition throws.
func eventually(_ what: @autoclosure () -> String, _ condition: () async throws -> Bool) async throws {
    _ = try await eventually(what()) { try await condition() ? true : nil } as Bool
}
