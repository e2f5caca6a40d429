import ContainerRPC
import Foundation
import GRDB

/// Keeps what policies have learned in the catalog's file, beside the applications that it belongs to.
///
/// It shares the connection of the catalog's store, which has the file to itself: writes of both take turns. A deleted
/// application takes its states and its feedback along.
struct SQLiteSelectionStore: SelectionStore {
    /// How many feedback ids are remembered unless told otherwise, over all applications.
    static let standardFeedbackBound = 1_000_000

    /// After how many users' states that are written it is looked at the soonest whether there are too many.
    private static let writesBetweenLooks = 4096
    /// How many are looked at or forgotten at once: feedback waits meanwhile.
    private static let mostForgotten = 10_000

    private let queue: DatabaseQueue
    private let path: String
    private let feedbackBound: Int
    private let userBound: Int
    private let today: @Sendable () -> Int
    /// Users' states that can be written before there may be too many.
    private let writesUntilLook = Locked(0)
    /// How far former policies' rows are forgotten, by application, of those that have been written to since the start.
    private let cleaning = Locked<[String: Cleaning]>([:])

    /// How far an application's rows of former policies are forgotten.
    private struct Cleaning {
        /// The application's policy by now.
        var policy: String
        /// The key of the last user that was looked at; `nil` once all are.
        var last: Data?
    }

    /// The store beside the catalog in `catalog`'s file.
    ///
    /// - Parameters:
    ///   - feedbackBound: How many feedback ids are remembered at most, over all applications; beyond that
    ///     the oldest are forgotten.
    ///   - userBound: How many users' states are kept, over all applications; a few thousand more now and then. Beyond that
    ///     those go first whose last feedback was on the earliest day: they begin anew from the application's state.
    ///   - today: The number of the day, which rises.
    init(
        _ catalog: SQLiteCatalogStore, feedbackBound: Int = Self.standardFeedbackBound,
        userBound: Int = .max,
        today: @escaping @Sendable () -> Int = { Int(Date.now.timeIntervalSince1970 / 86_400) }
    ) {
        queue = catalog.queue
        path = catalog.path
        self.feedbackBound = max(0, feedbackBound)
        self.userBound = max(0, userBound)
        self.today = today
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
            // One statement is a transaction of its own. What is left of an application's former policy is not to come back
            // with that: it is forgotten since the application's own row is another's.
            try queue.inDatabase { db in
                let statement = try db.cachedStatement(
                    sql: """
                        SELECT policy, state FROM selection_state WHERE application = ?1 AND user = ?2 AND policy = ifnull(
                            (SELECT policy FROM selection_state WHERE application = ?1 AND user = x''), policy)
                        """)
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
                return try Bool.fetchOne(statement, arguments: [application, Self.bytes(of: id)]) ?? false
            }
        }
    }

    func commit(_ writes: [SelectionWrite], feedback: [CountedFeedback]) throws {
        try withStoreErrors {
            let cleaning = try queue.write { db in
                let cleaning = try write(writes, to: db)
                guard !feedback.isEmpty else { return cleaning }
                try Self.write(feedback, to: db)
                // Numbers go up, so the oldest lie together at one end of the table.
                try db.cachedStatement(
                    sql: "DELETE FROM feedback WHERE number <= (SELECT max(number) FROM feedback) - ?"
                ).execute(arguments: [feedbackBound])
                return cleaning
            }
            // Not before it is durable: what comes back with a failed transaction would stay.
            self.cleaning.withLock { $0 = cleaning }
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

    /// - Returns: how far former policies' rows are forgotten then.
    private func write(_ writes: [SelectionWrite], to db: Database) throws -> [String: Cleaning] {
        var cleaning = cleaning.withLock { $0 }
        for write in writes where write.user == nil { try begin(&cleaning, before: write, in: db) }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO selection_state (application, user, policy, state, day)
                SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM application WHERE name = ?1)
                ON CONFLICT (application, user) DO UPDATE SET policy = excluded.policy, state = excluded.state
                """)
        // By itself, because an index is written for each column that is set, changed or not.
        let dayStatement = try db.cachedStatement(
            sql: "UPDATE selection_state SET day = ?3 WHERE application = ?1 AND user = ?2 AND day <> ?3")
        let today = today()
        for write in writes {
            let user = Self.key(of: write.user)
            try statement.execute(arguments: [write.application, user, write.policy, write.state, today])
            if write.user != nil { try dayStatement.execute(arguments: [write.application, user, today]) }
        }
        for application in cleaning.keys { try goOn(&cleaning, application, in: db) }
        try forgetUsers(after: writes.count { $0.user != nil }, in: db)
        return cleaning
    }

    // MARK: Former policies

    /// What a former policy has learned is of no use from the next one's first feedback on, and would come back with it.
    ///
    /// Before anything of the next one is written: whatever else differs from the former then is of one before that.
    private func begin(_ cleaning: inout [String: Cleaning], before write: SelectionWrite, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "SELECT policy FROM selection_state WHERE application = ? AND user = x''")
        guard let former = try String.fetchOne(statement, arguments: [write.application]) else {
            // Nothing is there: the application is new, or begins anew.
            cleaning[write.application] = Cleaning(policy: write.policy, last: nil)
            return
        }
        // Before a restart it may not have come to an end.
        let known = cleaning[write.application] ?? Cleaning(policy: former, last: Data())
        cleaning[write.application] = known
        guard former != write.policy else { return }
        if known.last != nil {
            // A policy that comes back soon must not find what it had learned before.
            try db.execute(
                sql: "DELETE FROM selection_state WHERE application = ? AND user <> x'' AND policy <> ?",
                arguments: [write.application, former])
        }
        cleaning[write.application] = Cleaning(policy: write.policy, last: Data())
    }

    /// Some of it with each commit, because feedback waits meanwhile.
    private func goOn(_ cleaning: inout [String: Cleaning], _ application: String, in db: Database) throws {
        guard let (policy, last) = cleaning[application].map({ ($0.policy, $0.last) }), let last else { return }
        let end = try Data.fetchOne(
            db,
            sql: "SELECT user FROM selection_state WHERE application = ? AND user > ? ORDER BY user LIMIT 1 OFFSET ?",
            arguments: [application, last, Self.mostForgotten - 1])
        try db.execute(
            sql: """
                DELETE FROM selection_state
                WHERE application = ?1 AND user > ?2 AND user <= ifnull(?3, user) AND policy <> ?4
                """, arguments: [application, last, end, policy])
        cleaning[application]?.last = end
    }

    // MARK: Too many users

    private func forgetUsers(after count: Int, in db: Database) throws {
        guard count > 0 else { return }
        let isDue = writesUntilLook.withLock { left in
            left -= min(count, left)
            return left == 0
        }
        guard isDue else { return }
        // To count a million takes tens of milliseconds.
        let kept = try Int.fetchOne(db, sql: "SELECT count(*) FROM selection_state WHERE user <> x''") ?? 0
        writesUntilLook.withLock { $0 = max(Self.writesBetweenLooks, userBound - min(userBound, kept)) }
        guard kept > userBound else { return }
        try db.execute(
            sql: """
                DELETE FROM selection_state WHERE (application, user) IN (
                    SELECT application, user FROM selection_state WHERE user <> x'' ORDER BY day LIMIT ?)
                """, arguments: [min(kept - userBound, Self.mostForgotten)])
    }

    // MARK: Feedback and keys

    private static func write(_ feedback: [CountedFeedback], to db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO feedback (application, feedback_id)
                SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM application WHERE name = ?1)
                ON CONFLICT (application, feedback_id) DO NOTHING
                """)
        for feedback in feedback {
            try statement.execute(arguments: [feedback.application, bytes(of: feedback.id)])
        }
    }

    /// Empty for the application itself, so that no user, not even one without a name, can be taken for it.
    private static func key(of user: String?) -> Data {
        user.map { bytes(of: "u\($0)") } ?? Data()
    }

    /// Equal texts have equal bytes, however their accents are written.
    private static func bytes(of text: String) -> Data {
        Data(text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8 : text.precomposedStringWithCanonicalMapping.utf8)
    }

    private func withStoreErrors<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw SQLiteCatalogStore.storeError(error, path: path)
        }
    }
}
