import ContainerRPC

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Fixed shares of the queries for each model, for A/B tests and canaries.
///
/// A user stays with one model: it is found by weighted rendezvous hashing (Thaler and Ravishankar, IEEE/ACM ToN 1998;
/// Schindelhauer and Schomaker, SPAA 2005) of application and user, by a hash that every process computes alike. When
/// shares change, or a model has no live replica, only those users move that must: to the models that gained, in
/// proportion to their shares; and back when it has one again. Queries without a user are drawn. A linked model without
/// a share gets nothing, unless no model that has one is available: then the first linked one answers.
struct WeightedPolicy: SelectionPolicy {
    private struct Share: Sendable {
        var part: Double
        var hash: UInt64
    }

    private var shares = ModelTable<Share>()

    /// Shares in percent, by the models' names.
    ///
    /// - Throws: `Problem` where one is not from 0 to 100, and where they do not add to 100.
    init(percentages: [String: Double]) throws(SelectionPolicies.Problem) {
        for (model, percent) in percentages {
            guard (0...100).contains(percent) else {
                throw SelectionPolicies.Problem(
                    "policy 'weighted': the share of '\(model)' must be 0 to 100 percent; \(percent) was given")
            }
            shares[model] = Share(part: percent / 100, hash: StableHash(model).value)
        }
        // In the order of the names: a dictionary's changes, and the sum's last digits with it.
        let sum = shares.entries.reduce(0) { $0 + $1.value.part } * 100
        guard abs(sum - 100) < 1e-6 else {
            let given = percentages.isEmpty ? "none were given" : "these add to \(sum)"
            throw SelectionPolicies.Problem(
                "policy 'weighted': the models' shares must add to 100 percent; \(given); "
                    + "give one for each model, as in weighted(a: 90, b: 10)")
        }
    }

    var namedModels: [String] { shares.entries.map(\.model) }

    func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        let parts = weights(of: query.models, state: state)
        guard let user = query.user else {
            let place = random.place(of: parts)
            return Selection(place, probability: parts[place])
        }
        var hash = StableHash()
        hash.combine(query.application)
        hash.combine(user)
        let userHash = hash.value
        var best = 0
        var bestDistance = Double.infinity
        for (place, model) in query.models.enumerated() where parts[place] > 0 {
            let mixed = SplitMix64.mix(userHash &+ (shares[model]?.hash ?? 0))
            // From 0 to 1, without both: an exponential draw with the share as its rate. The smallest of such is each
            // model's with the probability of its share.
            let uniform = (Double(mixed >> 12) + 0.5) * 0x1p-52
            let distance = -log(uniform) / parts[place]
            if distance < bestDistance { (best, bestDistance) = (place, distance) }
        }
        return Selection(best, probability: parts[best])
    }

    func weights(of models: [String], state: NoState) -> [Double] {
        let parts = models.map { shares[$0]?.part ?? 0 }
        let sum = parts.reduce(0, +)
        guard sum > 0 else { return models.indices.map { $0 == 0 ? 1 : 0 } }
        return parts.map { $0 / sum }
    }
}
