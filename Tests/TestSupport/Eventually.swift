/// How long a test waits for what must come. It comes within milliseconds; only a failing test, or a machine that has
/// far too much to do, waits that long.
package let patience: Duration = .seconds(180)

/// Something that had to come did not.
package struct NotInTime: Error, CustomStringConvertible {
    let what: String
    let limit: Duration

    /// What had to come, and how long it was waited for.
    package init(what: String, limit: Duration = patience) {
        self.what = what
        self.limit = limit
    }

    package var description: String { "within \(limit) this did not happen: \(what)" }
}

/// Asks again and again until there is an answer.
///
/// - Parameter what: what is waited for, for the one who reads that it did not come.
/// - Throws: `NotInTime`, and what the probe throws.
package func eventually<Value>(
    _ what: @autoclosure () -> String, within limit: Duration = patience, _ probe: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    var pause: Duration = .milliseconds(1)
    while true {
        if let value = try await probe() { return value }
        guard ContinuousClock.now < end else { throw NotInTime(what: what(), limit: limit) }
        // Leaves the thread to others between two looks.
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(16))
    }
}

/// Asks again and again until the condition holds.
///
/// - Throws: `NotInTime`, and what the condition throws.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    _ = try await eventually(what(), within: limit) { try await condition() ? true : nil } as Bool
}
