/// What a model wants to know of a customer.
struct Features: Sendable {
    let orders: Int
    let complaints: Int
}

/// Stands in for a database on another machine: a lookup takes its time, however many keys it names.
struct FeatureStore: Sendable {
    let lookupTime: Duration

    /// The features of those customers that the store knows: all but those without a name.
    func features(of customers: Set<String>) async throws -> [String: Features] {
        try await Task.sleep(for: lookupTime)
        var found: [String: Features] = [:]
        for customer in customers where !customer.isEmpty {
            // Made up from the name, but the same at each lookup.
            let number = customer.utf8.reduce(7) { ($0 * 31 + Int($1)) % 9_973 }
            found[customer] = Features(orders: number % 40, complaints: number % 6)
        }
        return found
    }
}
