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
            let advice = forbidden(path) ?? forbidden(log(of: path)) ?? "its folder must exist and allow writing"
            return CatalogStoreError(.cannotOpen, "the store '\(path)' cannot be opened (\(reason)); \(advice)")
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
            // A log that an earlier file has left is written over whatever is put in that file's place.
            return CatalogStoreError(
                .corrupt,
                "the store '\(path)' is damaged (\(reason)); to put a copy back, first remove '\(log(of: path))', "
                    + "where there is one: it belongs to the old file")
        default:
            let action = whileOpening ? "opened" : "read or written"
            return CatalogStoreError(.other, "the store '\(path)' cannot be \(action) (\(reason))")
        }
    }

    /// Where SQLite keeps what is not in the file yet.
    static func log(of path: String) -> String { path + "-wal" }

    /// What this user may not do with a file that is there, and whose it is; `nil` where it may do everything.
    private static func forbidden(_ path: String) -> String? {
        let files = FileManager.default
        guard files.fileExists(atPath: path) else { return nil }
        let missing = !files.isReadableFile(atPath: path) ? "read" : !files.isWritableFile(atPath: path) ? "write" : nil
        guard let missing else { return nil }
        let attributes = try? files.attributesOfItem(atPath: path)
        let owner = (attributes?[.ownerAccountName] as? String) ?? (attributes?[.ownerAccountID]).map { "user \($0)" }
        let mode = (attributes?[.posixPermissions] as? Int).map { " (mode 0\(String($0, radix: 8)))" } ?? ""
        return "this user may not \(missing) '\(path)', which belongs to \(owner ?? "another")\(mode)"
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
