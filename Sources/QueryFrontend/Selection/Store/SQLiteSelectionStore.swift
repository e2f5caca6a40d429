import Foundation
import GRDB

/// Keeps what policies have learned in the catalog's file, beside the applications that it belongs to.
///
/// It shares the connection of the catalog's store, which has the file to itself: writes of both take turns. A deleted
/// application takes its states and its feedback along.
struct SQLiteSelectionStore: SelectionStore {
    /// How many feedback ids are remembered unless told otherwise, over all applications.
    static let standardFeedbackBound = 1_000_000

    private let queue: DatabaseQueue
    private let path: String
    private let feedbackBound: Int

    /// The store beside the catalog in `catalog`'s file.
    ///
    /// - Parameter feedbackBound: How many feedback ids are remembered at most, over all applications; beyond that
    ///   the oldest are forgotten.
    init(_ catalog: SQLiteCatalogStore, feedbackBound: Int = Self.standardFeedbackBound) {
        queue = catalog.queue
        path = catalog.path
        self.feedbackBound = max(0, feedbackBound)
    }

    func nextStart() throws -> Int {
        try withStoreErrors {
            try queue.write { db in
                let sql = "UPDATE start SET number = number + 1 RETURNING number - 1"
                // All rows have to be read for the change to be carried out.
                guard let number = try Int.fetchAll(db, sql: sql).first else {
                    throw CatalogStoreError(.corrupt, "the store '\(path)' does not tell how often it was opened")
                }
                return number
            }
        }
    }

    func state(of application: String, user: String?) throws -> (policy: String, state: Data)? {
        try withStoreErrors {
            // One statement is a transaction of its own.
            try queue.inDatabase { db in
                let statement = try db.cachedStatement(
                    sql: "SELECT policy, state FROM selection_state WHERE application = ? AND user = ?")
                let row = try Row.fetchOne(statement, arguments: [application, Self.key(of: user)])
                return try row.map { row in
                    (
                        policy: try row.decode(String.self, forColumn: "policy"),
                        state: try row.decode(Data.self, forColumn: "state")
                    )
                }
            }
        }
    }

    func hasFeedback(_ id: String, of application: String) throws -> Bool {
        try withStoreErrors {
            try queue.inDatabase { db in
                let statement = try db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM feedback WHERE application = ? AND feedback_id = ?)")
                return try Bool.fetchOne(statement, arguments: [application, Data(id.utf8)]) ?? false
            }
        }
    }

    func commit(_ writes: [SelectionWrite], feedback: [CountedFeedback]) throws {
        try withStoreErrors {
            try queue.write { db in
                try Self.write(writes, to: db)
                guard !feedback.isEmpty else { return }
                try Self.write(feedback, to: db)
                // Numbers go up, so the oldest lie together at one end of the table.
                try db.cachedStatement(
                    sql: "DELETE FROM feedback WHERE number <= (SELECT max(number) FROM feedback) - ?"
                ).execute(arguments: [feedbackBound])
            }
        }
    }

    func removeStates(of application: String, user: String?) throws {
        try withStoreErrors {
            try queue.write { db in
                if let user {
                    try db.execute(
                        sql: "DELETE FROM selection_state WHERE application = ? AND user = ?",
                        arguments: [application, Self.key(of: user)])
                } else {
                    try db.execute(
                        sql: "DELETE FROM selection_state WHERE application = ?", arguments: [application])
                }
            }
        }
    }

    // MARK: Rows

    private static func write(_ writes: [SelectionWrite], to db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO selection_state (application, user, policy, state)
                SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM application WHERE name = ?1)
                ON CONFLICT (application, user) DO UPDATE SET policy = excluded.policy, state = excluded.state
                """)
        for write in writes {
            try statement.execute(arguments: [write.application, key(of: write.user), write.policy, write.state])
        }
    }

    private static func write(_ feedback: [CountedFeedback], to db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO feedback (application, feedback_id)
                SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM application WHERE name = ?1)
                ON CONFLICT (application, feedback_id) DO NOTHING
                """)
        for feedback in feedback {
            try statement.execute(arguments: [feedback.application, Data(feedback.id.utf8)])
        }
    }

    /// Empty for the application itself, so that no user, not even one without a name, can be taken for it.
    private static func key(of user: String?) -> Data {
        user.map { Data("u\($0)".utf8) } ?? Data()
    }

    private func withStoreErrors<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw SQLiteCatalogStore.storeError(error, path: path)
        }
    }
}
