/// Numbers of bytes as they are written on the command line: `1048576`, `32MiB`, `1.5GiB`, `512k`, `2GB`.
enum ByteCountText {
    /// The most that is taken, in bytes; more than any machine has, and far from where sums would overflow.
    private static let most = 1 << 50

    /// The units in bytes: those with an `i` count in 1024s, the others in 1000s, as the SI has it.
    private static let units = [
        "": 1, "B": 1, "k": 1000, "K": 1000, "M": 1_000_000, "G": 1_000_000_000, "kB": 1000, "KB": 1000,
        "MB": 1_000_000, "GB": 1_000_000_000, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "KiB": 1 << 10,
        "MiB": 1 << 20, "GiB": 1 << 30,
    ]

    /// Reads a decimal number, and a unit where it is not bytes.
    ///
    /// - Throws: ``ArgumentTextError``, also for what is no whole number of bytes.
    static func parse(_ text: String) throws(ArgumentTextError) -> Int {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        guard !number.isEmpty else {
            throw ArgumentTextError("a number of bytes such as 32MiB or 33554432 is expected")
        }
        let suffix = text.dropFirst(number.count).drop { $0 == " " }
        guard let unit = units[String(suffix)] else {
            throw ArgumentTextError("'\(suffix)' is no unit here; the units are KiB, MiB, GiB (1024s), k, M, G (1000s)")
        }
        let bytes = try count(number, unit: unit)
        guard bytes <= most else { throw ArgumentTextError("at most \(format(most)) is allowed") }
        return bytes
    }

    /// Writes a number of bytes in the largest unit of 1024s in which it is whole, so that ``parse(_:)`` reads it.
    static func format(_ bytes: Int) -> String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes != 0 && bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes)"
    }

    /// `number` × `unit`, exact.
    private static func count(_ number: Substring, unit: Int) throws(ArgumentTextError) -> Int {
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw ArgumentTextError("'\(number)' is no decimal number")
        }
        var fraction = parts.count == 2 ? parts[1] : ""
        while fraction.last == "0" { fraction.removeLast() }
        // Nine places of a GiB fit 64 bits, and no whole number of bytes that people write has more.
        guard fraction.count <= 9 else { throw ArgumentTextError("it is no whole number of bytes") }
        let scale = (0..<fraction.count).reduce(1) { scale, _ in scale * 10 }
        let (part, remainder) = ((Int(fraction) ?? 0) * unit).quotientAndRemainder(dividingBy: scale)
        guard remainder == 0 else { throw ArgumentTextError("it is no whole number of bytes") }
        // What does not fit an integer is more than is allowed too.
        let (whole, overflow) = (Int(parts[0]) ?? .max).multipliedReportingOverflow(by: unit)
        return overflow || whole > most ? .max : whole + part
    }
}
