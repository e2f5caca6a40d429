/// A change that the catalog refuses; nothing was changed.
public struct CatalogError: Error, Sendable, Equatable {
    /// What is wrong, in one line for the person who asked for the change.
    public let message: String

    /// An error with that message.
    init(_ message: String) { self.message = message }
}

extension CatalogError: CustomStringConvertible {
    public var description: String { message }
}
