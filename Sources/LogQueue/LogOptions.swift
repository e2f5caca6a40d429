package import ContainerRPC
package import Logging

/// A text that names no level or format: which there are.
package struct UnknownLogOption: Error, CustomStringConvertible {
    package let description: String
}

extension LogFormat {
    /// The format of this name, as an option of a command has it.
    ///
    /// - Throws: `UnknownLogOption`.
    package init(name: String) throws(UnknownLogOption) {
        guard let format = Self(rawValue: name) else {
            throw UnknownLogOption(
                description: "'\(name)' is no format; expected "
                    + "\(Self.allCases.map(\.rawValue).joined(separator: " or ")).")
        }
        self = format
    }
}

extension Logger.Level {
    /// The level of this name, as an option of a command has it.
    ///
    /// - Throws: `UnknownLogOption`.
    package init(name: String) throws(UnknownLogOption) {
        guard let level = Self(rawValue: name) else {
            throw UnknownLogOption(
                description: "'\(name)' is no level; expected "
                    + "\(Self.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        self = level
    }
}
