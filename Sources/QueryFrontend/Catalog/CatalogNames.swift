/// What a name in the catalog may hold.
///
/// Clipper joins names with `,` and `:` when it prints them, so neither may occur within one.
enum CatalogNames {
    /// The longest name, in bytes of UTF-8.
    static let longestName = 256
    /// The longest container name or data path, in bytes of UTF-8.
    static let longestText = 4096

    /// Checks a model's name or version.
    static func check(_ name: String, field: String) throws(CatalogError) {
        guard !name.isEmpty else { throw CatalogError("\(field) is empty") }
        try checkLabel(name, field: field)
    }

    /// Checks a label; an empty one is fine, because Clipper shows a model without labels with one.
    static func checkLabel(_ name: String, field: String) throws(CatalogError) {
        try checkText(name, field: field, longest: longestName)
        try refuse(",", in: name, field: field)
        try refuse(":", in: name, field: field)
    }

    /// Checks all labels of a model.
    static func checkLabels(_ labels: [String]) throws(CatalogError) {
        for label in labels { try checkLabel(label, field: "label") }
    }

    /// Checks an application's name, which must be one segment of a path too.
    static func checkApplication(_ name: String) throws(CatalogError) {
        let field = "application name"
        try check(name, field: field)
        try refuse("/", in: name, field: field)
        // Clients resolve these segments away before they send the path.
        guard name != ".", name != ".." else { throw CatalogError("\(field) \(quoted(name)) cannot be part of a path") }
    }

    /// Checks a text that is only kept and shown.
    static func checkText(_ text: String, field: String, longest: Int = longestText) throws(CatalogError) {
        let count = text.utf8.count
        guard count <= longest else {
            throw CatalogError("\(field) is \(count) bytes long; at most \(longest) are allowed")
        }
        if let scalar = text.unicodeScalars.first(where: { $0.properties.generalCategory == .control }) {
            let digits = String(scalar.value, radix: 16, uppercase: true)
            let code = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            throw CatalogError("\(field) holds the control character U+\(code)")
        }
    }

    /// A name in quotes for a message, cut where it is longer than any that could exist.
    static func quoted(_ name: String) -> String {
        name.utf8.count <= longestName ? "'\(name)'" : "'\(name.prefix(64))…'"
    }

    /// The names that there are, for a message; the first of many.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).joined(separator: ", ")
        return "these are: \(shown)" + (names.count > 20 ? " and \(names.count - 20) more" : "")
    }

    private static func refuse(
        _ separator: Unicode.Scalar, in name: String, field: String
    ) throws(CatalogError) {
        guard !name.unicodeScalars.contains(separator) else {
            throw CatalogError("\(field) \(quoted(name)) holds '\(separator)', which is not allowed in it")
        }
    }
}
