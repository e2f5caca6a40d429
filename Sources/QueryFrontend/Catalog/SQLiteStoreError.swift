import Foundation
import GRDB

extension SQLiteCatalogStore {
    /// Says in the operator's terms what SQLite reports in its own.
    static func storeError(
        _ error: any Error, path: String, whileOpening: Bool = false
    ) -> CatalogStoreError {
        if let error = error as? CatalogStoreError { return error }
        guard let error = error as? DatabaseError else {
            return CatalogStoreError(.corrupt, "the store '\(path)' holds what this program did not write: \(error)")
        }
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_NOTADB:
            return CatalogStoreError(.notADatabase, "the store '\(path)' is no SQLite database; name another file")
        case .SQLITE_CANTOPEN where isFolder(path):
            return CatalogStoreError(.cannotOpen, "the store '\(path)' is a folder; name a file in it")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return CatalogStoreError(
                .cannotOpen,
                "the store '\(path)' cannot be opened (\(reason)); its folder must exist and allow writing")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return CatalogStoreError(.inUse, "the store '\(path)' is in use by another process")
        // What may not be locked, because it may not be written, SQLite calls an error of the disk.
        case .SQLITE_IOERR
        where FileManager.default.fileExists(atPath: path)
            && !FileManager.default.isWritableFile(atPath: path):
            return CatalogStoreError(.readOnly, "the store '\(path)' cannot be written: this user may only read it")
        case .SQLITE_READONLY:
            return CatalogStoreError(.readOnly, "the store '\(path)' cannot be written (\(reason))")
        case .SQLITE_FULL:
            return CatalogStoreError(.full, "the store '\(path)' cannot grow: the disk is full")
        case .SQLITE_CORRUPT, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH:
            return CatalogStoreError(.corrupt, "the store '\(path)' is damaged (\(reason))")
        default:
            let action = whileOpening ? "opened" : "read or written"
            return CatalogStoreError(.other, "the store '\(path)' cannot be \(action) (\(reason))")
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
