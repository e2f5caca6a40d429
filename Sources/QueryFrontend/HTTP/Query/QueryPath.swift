/// What a path of the query API names.
enum QueryPath: Equatable {
    case predict(application: String)
    case update(application: String)
    case metrics
    case live
    case ready
    case unknown

    /// Reads a request's target: the path, without what follows a `?`; a slash at its end is fine.
    init(target: String) {
        var path = Substring(target)
        // A client that takes this for a proxy names the whole URL (RFC 9112, section 3.2.2).
        if path.utf8.first != UInt8(ascii: "/"), let scheme = path.firstRange(of: "://") {
            path = path[scheme.upperBound...].drop { $0 != "/" }
        }
        if let mark = path.utf8.firstIndex(of: UInt8(ascii: "?")) { path = path[..<mark] }
        if path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        self = Self.query(path) ?? Self.page(path)
    }

    /// An application's path. Bytes are compared, not characters: every request comes by here.
    private static func query(_ path: Substring) -> QueryPath? {
        guard path.utf8.first == UInt8(ascii: "/"),
            let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex
        else { return nil }
        let verb = path.utf8[path.utf8.index(after: slash)...]
        let predicts = verb.elementsEqual("predict".utf8)
        guard predicts || verb.elementsEqual("update".utf8),
            let name = decode(path[path.utf8.index(after: path.startIndex)..<slash])
        else { return nil }
        return predicts ? .predict(application: name) : .update(application: name)
    }

    private static func page(_ path: Substring) -> QueryPath {
        switch path {
        case "/metrics": .metrics
        case "/health/live": .live
        case "/health/ready": .ready
        default: .unknown
        }
    }

    /// One path segment, percent-decoded; `nil` where it is empty, holds a slash or is not UTF-8 when decoded.
    private static func decode(_ segment: Substring) -> String? {
        guard !segment.isEmpty, !segment.utf8.contains(UInt8(ascii: "/")) else { return nil }
        guard segment.utf8.contains(UInt8(ascii: "%")) else { return String(segment) }
        var bytes: [UInt8] = []
        var rest = segment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        Character(Unicode.Scalar(digit)).hexDigitValue.map { UInt8($0) }
    }
}
