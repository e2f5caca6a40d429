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
        migrator.registerMigration("batching, cache, overload and hedging") { db in
            try db.execute(
                sql: """
                    ALTER TABLE model ADD COLUMN batch_policy TEXT NOT NULL DEFAULT 'deadline'; -- or aimd, fixed
                    ALTER TABLE model ADD COLUMN aimd_increase INTEGER; -- NULL under other policies
                    ALTER TABLE model ADD COLUMN aimd_backoff REAL; -- NULL under other policies
                    ALTER TABLE model ADD COLUMN max_delay_micros INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE model ADD COLUMN max_batch INTEGER NOT NULL DEFAULT 4096;
                    ALTER TABLE model ADD COLUMN caches_predictions INTEGER NOT NULL DEFAULT 1; -- 0 or 1
                    ALTER TABLE application ADD COLUMN overload TEXT NOT NULL DEFAULT 'default'; -- or reject
                    ALTER TABLE application ADD COLUMN hedge_quantile REAL; -- NULL: queries are not hedged
                    ALTER TABLE application ADD COLUMN hedge_max_extra_work REAL; -- NULL with the quantile

                    -- Sizes had no upper bound, and a batch size was all that there was.
                    UPDATE model SET batch_size = 2147483647 WHERE batch_size > 2147483647;
                    UPDATE model SET batch_policy = 'fixed' WHERE batch_size <> -1;
                    UPDATE model SET max_batch = batch_size WHERE batch_size > 4096;
                    """)
        }
        migrator.registerMigration("selection policies, what they learn, and feedback") { db in
            try db.execute(
                sql: """
                    ALTER TABLE application ADD COLUMN policy TEXT NOT NULL DEFAULT 'DefaultOutputSelectionPolicy';
                    ALTER TABLE application ADD COLUMN policy_parameters TEXT NOT NULL DEFAULT '{}'; -- a JSON object
                    ALTER TABLE application ADD COLUMN loss TEXT NOT NULL DEFAULT 'zero-one';
                    ALTER TABLE application ADD COLUMN min_confidence REAL NOT NULL DEFAULT 0;
                    ALTER TABLE application ADD COLUMN shadows TEXT NOT NULL DEFAULT '[]'; -- a JSON array of strings

                    -- What the policies have learned. Users are bytes because a text would end at a NUL.
                    CREATE TABLE selection_state (
                        application TEXT NOT NULL REFERENCES application (name) ON DELETE CASCADE,
                        user BLOB NOT NULL, -- empty: the application's own; else the letter u, then the user
                        policy TEXT NOT NULL,
                        state BLOB NOT NULL, -- JSON
                        PRIMARY KEY (application, user)
                    ) STRICT, WITHOUT ROWID;

                    -- The feedback that has been counted, so that it counts once.
                    CREATE TABLE feedback (
                        number INTEGER NOT NULL PRIMARY KEY, -- the order of arrival
                        application TEXT NOT NULL REFERENCES application (name) ON DELETE CASCADE,
                        feedback_id BLOB NOT NULL,
                        UNIQUE (application, feedback_id)
                    ) STRICT;

                    CREATE TABLE start (number INTEGER NOT NULL) STRICT; -- one row: how often a frontend has started
                    INSERT INTO start VALUES (0);
                    """)
        }
        migrator.registerMigration("the day of each user's last feedback") { db in
            try db.execute(
                sql: """
                    -- Of users' states the oldest are forgotten when there are too many. A day, not a time: it changes, and the
                    -- index with it, once a day for each user, and not with every feedback.
                    ALTER TABLE selection_state ADD COLUMN day INTEGER NOT NULL DEFAULT 0; -- since 1970
                    UPDATE selection_state SET day = CAST(strftime('%s', 'now') AS INTEGER) / 86400;
                    CREATE INDEX user_by_day ON selection_state (day) WHERE user <> x'';
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
