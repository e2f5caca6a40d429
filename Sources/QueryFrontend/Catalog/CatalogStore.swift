/// Keeps the catalog across restarts.
protocol CatalogStore: Sendable {
    /// Reads the whole catalog.
    ///
    /// - Throws: ``CatalogStoreError``.
    func load() throws -> Catalog

    /// Makes a change, and those that followed from it, durable before it returns, as ``Catalog/perform(_:)`` has carried
    /// them out. It may block: changes come one after the other, on a thread where nobody else waits.
    ///
    /// - Throws: ``CatalogStoreError``; nothing of the changes is kept then.
    func save(_ changes: [CatalogChange]) throws
}

/// A store that cannot be opened, read or written.
public struct CatalogStoreError: Error, Sendable, Equatable {
    /// What went wrong, for programs that react to it.
    public enum Kind: Sendable, Equatable {
        /// The file cannot be opened or created.
        case cannotOpen
        /// The file is no database.
        case notADatabase
        /// The database belongs to another program, or to a later version of this one.
        case foreign
        /// Another process has the store open.
        case inUse
        /// It can be read but not written.
        case readOnly
        /// The disk, or the share of it that is allowed, is full.
        case full
        /// What the database holds breaks its own rules.
        case corrupt
        /// It holds an application whose policy this frontend does not have.
        case unknownPolicy
        /// Any other failure.
        case other
    }

    /// What went wrong.
    public let kind: Kind
    /// The same in one line for people, with the store's path.
    public let message: String

    /// An error of that kind with that message.
    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

extension CatalogStoreError: CustomStringConvertible {
    public var description: String { message }
}
