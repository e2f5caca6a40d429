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

    /// After how many users' states that are written it is looked whether there are too many.
    private static let writesBetweenLooks = 4096
    /// How many are forgotten at once: feedback waits meanwhile.
    private static let mostForgotten = 10_000

    private let queue: DatabaseQueue
    private let path: String
    private let feedbackBound: Int
    private let userBound: Int
    private let today: @Sendable () -> Int
    /// Users' states that were written since it was looked whether there are too many.
    private let writes = Locked(Self.writesBetweenLooks)
    /// Applications of which rows of a former policy may be left, and their policy by now.
    private let outdated = Locked<[String: String]>([:])

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
                return try Bool.fetchOne(statement, arguments: [application, Self.bytes(of: id)]) ?? false
            }
        }
    }

    func commit(_ writes: [SelectionWrite], feedback: [CountedFeedback]) throws {
        try withStoreErrors {
            let cleaned = try queue.write { db in
                let cleaned = try write(writes, to: db)
                guard !feedback.isEmpty else { return cleaned }
                try Self.write(feedback, to: db)
                // Numbers go up, so the oldest lie together at one end of the table.
                try db.cachedStatement(
                    sql: "DELETE FROM feedback WHERE number <= (SELECT max(number) FROM feedback) - ?"
                ).execute(arguments: [feedbackBound])
                return cleaned
            }
            // Not before it is durable: what comes back with a failed transaction would stay.
            outdated.withLock { outdated in
                for (application, policy) in cleaned where outdated[application] == policy {
                    outdated[application] = nil
                }
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

    /// - Returns: applications of which no row of a former policy is left, and their policy.
    private func write(_ writes: [SelectionWrite], to db: Database) throws -> [String: String] {
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
            if write.user == nil { try noteFormerPolicy(than: write, in: db) }
            let user = Self.key(of: write.user)
            try statement.execute(arguments: [write.application, user, write.policy, write.state, today])
            if write.user != nil { try dayStatement.execute(arguments: [write.application, user, today]) }
        }
        let cleaned = try forgetFormerPolicies(in: db)
        try forgetUsers(after: writes.count { $0.user != nil }, in: db)
        return cleaned
    }

    /// What a former policy has learned is of no use from the next one's first feedback on, and would come back with it.
    private func noteFormerPolicy(than write: SelectionWrite, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "SELECT policy FROM selection_state WHERE application = ? AND user = ?")
        let former = try String.fetchOne(statement, arguments: [write.application, Self.key(of: nil)])
        guard let former, former != write.policy else { return }
        outdated.withLock { $0[write.application] = write.policy }
    }

    /// Some of it with each commit, because feedback waits meanwhile.
    ///
    /// - Returns: applications of which none is left.
    private func forgetFormerPolicies(in db: Database) throws -> [String: String] {
        var cleaned: [String: String] = [:]
        for (application, policy) in outdated.withLock({ $0 }) {
            try db.execute(
                sql: """
                    DELETE FROM selection_state WHERE application = ?1 AND user IN (
                        SELECT user FROM selection_state WHERE application = ?1 AND policy <> ?2 LIMIT ?3)
                    """, arguments: [application, policy, Self.mostForgotten])
            if db.changesCount < Self.mostForgotten { cleaned[application] = policy }
        }
        return cleaned
    }

    private func forgetUsers(after count: Int, in db: Database) throws {
        guard count > 0 else { return }
        let isDue = writes.withLock { writes in
            writes += count
            guard writes > Self.writesBetweenLooks else { return false }
            writes = 0
            return true
        }
        guard isDue else { return }
        let kept = try Int.fetchOne(db, sql: "SELECT count(*) FROM selection_state WHERE user <> x''") ?? 0
        guard kept > userBound else { return }
        try db.execute(
            sql: """
                DELETE FROM selection_state WHERE (application, user) IN (
                    SELECT application, user FROM selection_state WHERE user <> x'' ORDER BY day LIMIT ?)
                """, arguments: [min(kept - userBound, Self.mostForgotten)])
    }

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
