import ContainerRPC

/// How many random bits the routing ids of RPC 4 have, as far as several of them tell: one is to have 128.
enum IDRandomness {
    /// So many tell. With fewer, two random digits are too often the same.
    static let fewestIDs = 6
    /// What they must show: 128 bits without the six of a UUID that are fixed, and without three digits that all ids may
    /// share by chance. Of six random ids one in 10^13 shows less.
    static let leastBits = 112

    /// In how many bits ids differ at most: 4 for a hexadecimal digit that is not always the same, 8 for another byte.
    ///
    /// - Returns: `nil` where there are too few of one length.
    static func bits(of ids: [RoutingID]) -> Int? {
        let byLength = Dictionary(grouping: Set(ids)) { $0.bytes.count }
        guard let same = byLength.max(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) })?.value,
            same.count >= fewestIDs
        else { return nil }
        return same[0].bytes.indices.reduce(0) { bits, index in
            let values = Set(same.map { $0.bytes[index] })
            guard values.count > 1 else { return bits }
            return bits + (values.allSatisfy { Character(UnicodeScalar($0)).isHexDigit } ? 4 : 8)
        }
    }

    /// That ids, all of sessions of one process, are not random enough; `nil` where they are.
    static func fault(in ids: [RoutingID]) -> Fault? {
        guard let bits = bits(of: ids), bits < leastBits else { return nil }
        return Fault(
            expected: "at least 16 random bytes in each routing id, or 32 random hexadecimal digits (rpc-4.md 2)",
            but: "those of \(ids.count) sessions differ in \(bits) bits at most, such as "
                + ids.prefix(2).map(\.description).joined(separator: " and "))
    }
}
