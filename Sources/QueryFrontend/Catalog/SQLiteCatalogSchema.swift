import GRDB

/// The tables of the SQLite store and how a file comes to have them.
///
/// A migration that has been released is never edited; a change of the schema is a new one after the last.
enum SQLiteCatalogSchema {
    /// Marks a database file as this program's ("Clip" in ASCII), in the header field that SQLite has for it.
    static let applicationID = 0x436C_6970

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("applications, models and links") { db in
            try db.execute(
                sql: """
                    CREATE TABLE model (
                        name TEXT NOT NULL,
                        version TEXT NOT NULL,
                        input_type TEXT NOT NULL,
                        labels TEXT NOT NULL, -- a JSON array of strings
                        container_name TEXT NOT NULL,
                        data_path TEXT NOT NULL,
                        batch_size INTEGER NOT NULL, -- -1: adaptive
                        registration INTEGER NOT NULL UNIQUE, -- the order of registration
                        PRIMARY KEY (name, version)
                    ) STRICT;

                    CREATE TABLE current_version (
                        name TEXT NOT NULL PRIMARY KEY,
                        version TEXT NOT NULL,
                        FOREIGN KEY (name, version) REFERENCES model (name, version)
                    ) STRICT;

                    CREATE TABLE application (
                        name TEXT NOT NULL PRIMARY KEY,
                        input_type TEXT NOT NULL,
                        default_output TEXT NOT NULL,
                        latency_slo_micros INTEGER NOT NULL
                    ) STRICT;

                    -- No foreign key to a model: a link outlives the last version of the model that it names.
                    CREATE TABLE link (
                        position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order of linking
                        application TEXT NOT NULL REFERENCES application (name) ON DELETE CASCADE,
                        model TEXT NOT NULL,
                        UNIQUE (application, model)
                    ) STRICT;
                    """)
        }
        return migrator
    }

    /// Marks a new file as this program's, and refuses a database that this version of it must not touch.
    ///
    /// The mark comes before the first table, so that a file whose migration was cut short is taken up again.
    static func claim(_ db: Database, path: String) throws {
        let identifier = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard identifier == applicationID || (identifier == 0 && tables == 0) else {
            throw CatalogStoreError(
                .foreign, "the store '\(path)' is a database of another program; name another file")
        }
        if identifier == 0 { try db.execute(sql: "PRAGMA application_id = \(applicationID)") }
        guard try !migrator.hasBeenSuperseded(db) else {
            throw CatalogStoreError(
                .foreign, "the store '\(path)' was written by a later version of this program; use that version")
        }
    }
}
