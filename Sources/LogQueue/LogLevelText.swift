package import Logging

extension Logger.Level {
    /// A text that names no level: which there are.
    package struct UnknownName: Error, CustomStringConvertible {
        package let description: String
    }

    /// The level of this name, as an option of a command has it.
    ///
    /// - Throws: `UnknownName`.
    package init(name: String) throws(UnknownName) {
        guard let level = Self(rawValue: name) else {
            throw UnknownName(
                description: "'\(name)' is no level; expected "
                    + "\(Self.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        self = level
    }
}
