/// Where a frontend may be, as libzmq writes it: it is checked before libzmq would say no more than "Invalid argument".
enum FrontendEndpoint {
    /// - Returns: the endpoint.
    /// - Throws: `ContainerError.invalid` for a transport that there is none of, or a host or port that cannot be.
    static func checked(_ endpoint: Setting) throws(ContainerError) -> String {
        guard isEndpoint(endpoint.value) else {
            throw endpoint.invalid(
                "the frontend's endpoint",
                expected: "one such as tcp://127.0.0.1:7000, or in one machine ipc://path, in one program inproc://name"
            )
        }
        return endpoint.value
    }

    /// The endpoint at a host's port.
    /// - Throws: `ContainerError.invalid` for a host or port that cannot be.
    static func tcp(host: Setting, port: Setting) throws(ContainerError) -> String {
        guard let number = UInt16(port.value), number > 0 else {
            throw port.invalid("the frontend's port", expected: "a number from 1 to 65535")
        }
        let name = host.value
        guard isHost(name) else {
            throw host.invalid("the frontend's host", expected: "a name or an address alone, such as 127.0.0.1")
        }
        return name.contains(":") && !name.hasPrefix("[") ? "tcp://[\(name)]:\(number)" : "tcp://\(name):\(number)"
    }

    private static func isEndpoint(_ text: String) -> Bool {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        switch parts[0] {
        case "inproc", "ipc":
            return !parts[1].isEmpty
        case "tcp":
            guard let colon = parts[1].lastIndex(of: ":") else { return false }
            let port = parts[1][parts[1].index(after: colon)...]
            guard port.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(port), number > 0 else {
                return false
            }
            return isHost(String(parts[1][..<colon]))
        default:
            return false
        }
    }

    /// Whether this can be a host: a name or an IPv4 address, or an IPv6 address, which may stand in brackets.
    private static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") { return isIPv6(text.dropFirst().dropLast()) }
        return text.contains(":") ? isIPv6(text[...]) : isName(text[...])
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) }
    }

    /// An address and, behind `%`, the interface that it is on. How many groups it has is left to libzmq.
    private static func isIPv6(_ text: Substring) -> Bool {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0].count(where: { $0 == ":" }) >= 2 else { return false }
        guard parts[0].allSatisfy({ $0.isASCII && $0.isHexDigit || $0 == ":" || $0 == "." }) else { return false }
        return parts.count == 1 || isName(parts[1])
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
