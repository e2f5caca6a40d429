/// Lets a few pass at a time: a hundred processes that start at once keep each other from their bounds.
package actor Turnstile {
    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// So many are behind it at a time.
    package init(places: Int) {
        self.places = places
    }

    /// Runs this when there is a place for it.
    package nonisolated func pass<Value: Sendable>(_ body: () async -> Value) async -> Value {
        await enter()
        let value = await body()
        await leave()
        return value
    }

    private func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        if waiting.isEmpty {
            places += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
