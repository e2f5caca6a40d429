import Foundation

/// One of the two addresses that a frontend listens at.
enum FrontendFace: Sendable {
    /// Applications, models, links, status.
    case administration
    /// Predictions.
    case query

    /// The option that names the address.
    var option: String { self == .administration ? "--admin" : "--query" }
    /// The environment variable that names the address where the option does not.
    var variable: String { self == .administration ? "CLIPPER_ADMIN" : "CLIPPER_QUERY" }
    /// The address where neither does.
    var defaultAddress: String { self == .administration ? "http://127.0.0.1:1338" : "http://127.0.0.1:1337" }
}

/// The base of a frontend's URLs: scheme, host, port, perhaps the path of a proxy before it.
struct FrontendAddress: Equatable, Sendable, CustomStringConvertible {
    /// The URL without a slash at its end.
    let description: String
    /// The environment variable that has named it, so that messages can tell where it comes from.
    private(set) var variable: String?

    /// Reads a URL; `http://` may be left out.
    init(_ text: String) throws(ArgumentTextError) {
        var url = text.contains("://") ? text : "http://" + text
        while url.hasSuffix("/") { url.removeLast() }
        guard let components = URLComponents(string: url, encodingInvalidCharacters: false),
            let scheme = components.scheme?.lowercased(), scheme == "http",
            let host = components.host, !host.isEmpty,
            components.query == nil, components.fragment == nil, components.user == nil,
            components.port.map({ (1...65_535).contains($0) }) ?? true
        else {
            throw ArgumentTextError("an address such as http://127.0.0.1:1338 is expected; https is not spoken")
        }
        description = url
    }

    /// Host and port as a `Host` header has them: an IPv6 address in brackets.
    static func hostHeader(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The address that the command line names, else the environment, else the default.
    ///
    /// - Throws: ``CommandFailure`` if the environment's is none.
    static func resolve(_ given: FrontendAddress?, face: FrontendFace, environment: [String: String]) throws -> Self {
        if let given { return given }
        if let text = environment[face.variable], !text.isEmpty {
            do {
                var address = try FrontendAddress(text)
                address.variable = face.variable
                return address
            } catch {
                throw CommandFailure.usage("the value '\(text)' of \(face.variable) is invalid: \(error)")
            }
        }
        return try FrontendAddress(face.defaultAddress)
    }

    /// The URL of a path, whose segments may hold anything.
    func url(path: [String]) -> URL? {
        URL(string: description + path.map { "/" + Self.percentEncoded($0) }.joined())
    }

    /// Everything but RFC 3986's unreserved characters as `%XX`.
    private static func percentEncoded(_ segment: String) -> String {
        var encoded = ""
        for byte in segment.utf8 {
            let scalar = Unicode.Scalar(byte)
            let character = Character(scalar)
            if scalar.isASCII, character.isLetter || character.isNumber || "-._~".contains(character) {
                encoded.append(character)
            } else {
                encoded += "%" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
