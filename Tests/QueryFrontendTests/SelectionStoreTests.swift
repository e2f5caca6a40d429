import ContainerRPC
import Foundation
import GRDB
import TestSupport
import Testing

@testable import QueryFrontend

@Suite("The store of what policies have learned")
struct SelectionStoreTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("catalog.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    /// A catalog's store with two applications, `a` and `b`.
    private func makeCatalogStore(_ path: String = ":memory:") throws -> SQLiteCatalogStore {
        let store = try SQLiteCatalogStore(path: path)
        for name in ["a", "b"] { try store.save([.registerApplication(makeApplication(name))]) }
        return store
    }

    private static func write(
        _ application: String, _ user: String?, _ state: String, policy: String = "exp3"
    ) -> SelectionWrite {
        SelectionWrite(application: application, user: user, policy: policy, state: Data(state.utf8))
    }

    private static func text(_ store: SQLiteSelectionStore, _ application: String, _ user: String?) throws -> String? {
        try store.state(of: application, user: user).map { "\($0.policy) \(String(decoding: $0.state, as: UTF8.self))" }
    }

    @Test("Each application and each of its users has a state of its own")
    func keepsApart() throws {
        let store = SQLiteSelectionStore(try makeCatalogStore())
        #expect(try store.state(of: "a", user: nil) == nil)
        let users: [String?] = [nil, "", "u", "1", "日本", "a\0b", "a\0c", "x'; --"]
        try store.commit(users.enumerated().map { Self.write("a", $1, "\($0)") } + [Self.write("b", "1", "b")])
        for (number, user) in users.enumerated() {
            #expect(try Self.text(store, "a", user) == "exp3 \(number)", "\(user ?? "the application")")
        }
        #expect(try Self.text(store, "b", "1") == "exp3 b")
        #expect(try Self.text(store, "b", nil) == nil)
        #expect(try Self.text(store, "a", "a") == nil)
    }

    @Test("A later state takes the place of an earlier one, within one commit too")
    func replaces() throws {
        let store = SQLiteSelectionStore(try makeCatalogStore())
        try store.commit([Self.write("a", nil, "1"), Self.write("a", nil, "2")])
        #expect(try Self.text(store, "a", nil) == "exp3 2")
        try store.commit([Self.write("a", nil, "3", policy: "exp4")])
        #expect(try Self.text(store, "a", nil) == "exp4 3")
    }

    @Test("States, feedback and the number of starts are there again after a restart")
    func survivesRestart() throws {
        let catalog = try makeCatalogStore(path)
        let store = SQLiteSelectionStore(catalog)
        #expect(try store.nextStart() == 0)
        try store.commit([Self.write("a", "1", "{}")], feedback: [CountedFeedback(application: "a", id: "f")])
        try catalog.close()
        let again = SQLiteSelectionStore(try SQLiteCatalogStore(path: path))
        #expect(try again.nextStart() == 1)
        #expect(try again.nextStart() == 2)
        #expect(try Self.text(again, "a", "1") == "exp3 {}")
        #expect(try again.hasFeedback("f", of: "a"))
    }

    @Test("What was committed is in the files before the store is closed, for a process that is killed")
    func survivesKill() throws {
        let store = SQLiteSelectionStore(try makeCatalogStore(path))
        _ = try store.nextStart()
        try store.commit([Self.write("a", nil, "{}")], feedback: [CountedFeedback(application: "a", id: "f")])
        let copy = folder.path("copy.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        try FileManager.default.copyItem(atPath: path + "-wal", toPath: copy + "-wal")
        let again = SQLiteSelectionStore(try SQLiteCatalogStore(path: copy))
        #expect(try Self.text(again, "a", nil) == "exp3 {}")
        #expect(try again.hasFeedback("f", of: "a"))
        #expect(try again.nextStart() == 1)
    }

    @Test("Feedback is remembered by application and id, and may come again")
    func remembersFeedback() throws {
        let store = SQLiteSelectionStore(try makeCatalogStore())
        let ids = ["f", "f", "", "a\0b"].map { CountedFeedback(application: "a", id: $0) }
        try store.commit([], feedback: ids)
        try store.commit([], feedback: ids)
        for id in ["f", "", "a\0b"] { #expect(try store.hasFeedback(id, of: "a"), "\(id)") }
        for id in ["g", "a", "a\0c"] { #expect(try !store.hasFeedback(id, of: "a"), "\(id)") }
        #expect(try !store.hasFeedback("f", of: "b"))
    }

    @Test("Beyond the bound the oldest feedback is forgotten")
    func prunesFeedback() throws {
        let catalog = try makeCatalogStore()
        let store = SQLiteSelectionStore(catalog, feedbackBound: 3)
        func remembered() throws -> [String] {
            try (1...6).flatMap { id in
                try ["a", "b"].filter { try store.hasFeedback("\(id)", of: $0) }.map { "\($0)\(id)" }
            }
        }
        for id in 1...3 { try store.commit([], feedback: [CountedFeedback(application: "a", id: "\(id)")]) }
        #expect(try remembered() == ["a1", "a2", "a3"])
        // What is there already takes no place.
        try store.commit([], feedback: [CountedFeedback(application: "a", id: "3")])
        #expect(try remembered() == ["a1", "a2", "a3"])
        try store.commit([], feedback: [CountedFeedback(application: "b", id: "4")])
        #expect(try remembered() == ["a2", "a3", "b4"])
        try store.commit([], feedback: [5, 6].map { CountedFeedback(application: "a", id: "\($0)") })
        #expect(try remembered() == ["b4", "a5", "a6"])
    }

    @Test("The newest feedback is remembered after an application has taken its own along")
    func prunesAfterDeletion() throws {
        let catalog = try makeCatalogStore()
        let store = SQLiteSelectionStore(catalog, feedbackBound: 2)
        try store.commit(
            [], feedback: [CountedFeedback(application: "a", id: "1"), CountedFeedback(application: "b", id: "2")])
        try catalog.save([.deleteApplication(name: "b")])
        try store.commit([], feedback: [CountedFeedback(application: "a", id: "3")])
        #expect(try store.hasFeedback("1", of: "a"))
        #expect(try store.hasFeedback("3", of: "a"))
    }

    @Test("A policy's first feedback forgets what the application's former one has learned, of its users too")
    func forgetsFormerPolicies() throws {
        let store = SQLiteSelectionStore(try makeCatalogStore())
        try store.commit([Self.write("a", nil, "1"), Self.write("a", "u", "2"), Self.write("b", "u", "3")])
        try store.commit([Self.write("a", nil, "4", policy: "exp4"), Self.write("a", "v", "5", policy: "exp4")])
        #expect(try Self.text(store, "a", nil) == "exp4 4")
        #expect(try Self.text(store, "a", "u") == nil)
        #expect(try Self.text(store, "a", "v") == "exp4 5")
        #expect(try Self.text(store, "b", "u") == "exp3 3")
    }

    @Test("A policy that comes back does not find what it had learned before, however many users there were")
    func forgetsAllBeforeItComesBack() throws {
        let catalog = try makeCatalogStore(path)
        let users = (0..<10_500).map { Self.write("a", String(format: "%05d", $0), "old") }
        try SQLiteSelectionStore(catalog).commit(users + [Self.write("a", nil, "1")])
        // Not all of the users are forgotten by that, nor after a restart by the next.
        try SQLiteSelectionStore(catalog).commit([Self.write("a", nil, "2", policy: "exp4")])
        let store = SQLiteSelectionStore(catalog)
        #expect(try store.state(of: "a", user: "10499") == nil)
        try store.commit([Self.write("a", "10498", "new"), Self.write("a", nil, "3")])
        #expect(try Self.text(store, "a", "10499") == nil)
        #expect(try Self.text(store, "a", "00001") == nil)
        #expect(try Self.text(store, "a", "10498") == "exp3 new")
        #expect(try Self.rows(in: catalog) == 2)
    }

    @Test("What a former policy has learned goes on being forgotten after a restart")
    func forgetsAfterRestart() throws {
        let catalog = try makeCatalogStore(path)
        let users = (0..<25_000).map { Self.write("a", "\($0)", "old") }
        try SQLiteSelectionStore(catalog).commit(users + [Self.write("a", nil, "1")])
        try SQLiteSelectionStore(catalog).commit([Self.write("a", nil, "2", policy: "exp4")])
        #expect(try Self.rows(in: catalog) == 15_001)
        let store = SQLiteSelectionStore(catalog)
        for _ in 0..<3 { try store.commit([Self.write("a", nil, "3", policy: "exp4")]) }
        #expect(try Self.rows(in: catalog) == 1)
    }

    @Test("An application that is registered anew keeps what it learns, whatever its namesake's former policy was")
    func beginsAnew() throws {
        let catalog = try makeCatalogStore()
        let store = SQLiteSelectionStore(catalog)
        try store.commit((0..<10_001).map { Self.write("a", "\($0)", "old") } + [Self.write("a", nil, "1")])
        try store.commit([Self.write("a", nil, "2", policy: "exp4")])
        try catalog.save([.deleteApplication(name: "a")])
        try catalog.save([.registerApplication(makeApplication("a"))])
        for number in 1...2 { try store.commit([Self.write("a", "\(number)", "new"), Self.write("a", nil, "3")]) }
        #expect(try Self.text(store, "a", "1") == "exp3 new")
    }

    /// The states that are kept.
    private static func rows(in catalog: SQLiteCatalogStore) throws -> Int? {
        try catalog.queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM selection_state") }
    }

    @Test("Users are counted again only when there may be too many")
    func countsSeldom() throws {
        let counts = Locked(0)
        let catalog = try makeCatalogStore()
        catalog.queue.inDatabase { db in
            db.trace { event in
                if "\(event)".contains("count(*)") { counts.withLock { $0 += 1 } }
            }
        }
        let store = SQLiteSelectionStore(catalog, userBound: 20_000)
        for part in 0..<3 { try store.commit((0..<5_000).map { Self.write("a", "\(part) \($0)", "x") }) }
        #expect(counts.withLock { $0 } == 1)
        try store.commit((0..<15_000).map { Self.write("a", "3 \($0)", "x") })
        #expect(counts.withLock { $0 } == 2)
        catalog.queue.inDatabase { $0.trace(options: []) }
        #expect(try Self.rows(in: catalog) == 20_000)
    }

    @Test("Beyond the bound those users are forgotten whose last feedback was on the earliest day")
    func boundsUsers() throws {
        let day = Locked(1)
        let catalog = try makeCatalogStore()
        func store() -> SQLiteSelectionStore {
            SQLiteSelectionStore(catalog, userBound: 3, today: { day.withLock { $0 } })
        }
        func known() throws -> [String] {
            try (1...6).map { "\($0)" }.filter { try Self.text(store(), "a", $0) != nil }
        }
        try store().commit((1...4).map { Self.write("a", "\($0)", "x") } + [Self.write("a", nil, "x")])
        // Of one day anyone may go.
        #expect(try known().count == 3)
        let left = try known()
        day.withLock { $0 = 2 }
        try store().commit([Self.write("a", left[0], "y"), Self.write("a", "5", "x")])
        #expect(try known().count == 3)
        #expect(try Self.text(store(), "a", left[0]) == "exp3 y")
        #expect(try Self.text(store(), "a", "5") != nil)
        #expect(try Self.text(store(), "a", nil) == "exp3 x")
        // Looked for now and then, not with every feedback.
        let busy = store()
        for user in ["6", "7", "8"] { try busy.commit([Self.write("a", user, "x")]) }
        #expect(try Self.text(busy, "a", "7") != nil)
        #expect(try Self.text(busy, "a", "8") != nil)
    }

    @Test("Names that read the same are the same, however their accents are written")
    func normalises() throws {
        let store = SQLiteSelectionStore(try makeCatalogStore())
        try store.commit(
            [Self.write("a", "ren\u{E9}", "1")], feedback: [CountedFeedback(application: "a", id: "\u{E9}")])
        #expect(try Self.text(store, "a", "rene\u{301}") == "exp3 1")
        #expect(try store.hasFeedback("e\u{301}", of: "a"))
    }

    @Test("A deleted application takes states and feedback along, and leaves those of others")
    func cascades() throws {
        let catalog = try makeCatalogStore()
        let store = SQLiteSelectionStore(catalog)
        try store.commit(
            [Self.write("a", nil, "1"), Self.write("a", "u", "2"), Self.write("b", "u", "3")],
            feedback: ["a", "b"].map { CountedFeedback(application: $0, id: "f") })
        try catalog.save([.deleteApplication(name: "a")])
        try catalog.save([.registerApplication(makeApplication("a"))])
        #expect(try Self.text(store, "a", nil) == nil)
        #expect(try Self.text(store, "a", "u") == nil)
        #expect(try !store.hasFeedback("f", of: "a"))
        #expect(try Self.text(store, "b", "u") == "exp3 3")
        #expect(try store.hasFeedback("f", of: "b"))
    }

    @Test("What an application has learned that is gone is left out, and the rest is kept")
    func skipsTheGone() throws {
        let catalog = try makeCatalogStore()
        let store = SQLiteSelectionStore(catalog)
        try catalog.save([.deleteApplication(name: "a")])
        try store.commit(
            [Self.write("a", nil, "1"), Self.write("b", nil, "2")],
            feedback: ["a", "b"].map { CountedFeedback(application: $0, id: "f") })
        #expect(try Self.text(store, "a", nil) == nil)
        #expect(try !store.hasFeedback("f", of: "a"))
        #expect(try Self.text(store, "b", nil) == "exp3 2")
        #expect(try store.hasFeedback("f", of: "b"))
    }

    @Test(
        "What was learned is forgotten for one user, or for the application and all its users",
        arguments: [("1", [nil, "2"]), ("", [nil, "1", "2"]), (nil, [])] as [(String?, [String?])])
    func removes(user: String?, rest: [String?]) throws {
        let store = SQLiteSelectionStore(try makeCatalogStore())
        let users: [String?] = [nil, "1", "2"]
        try store.commit(
            users.map { Self.write("a", $0, "{}") } + [Self.write("b", "1", "{}")],
            feedback: [CountedFeedback(application: "a", id: "f")])
        try store.removeStates(of: "a", user: user)
        #expect(try users.filter { try store.state(of: "a", user: $0) != nil } == rest)
        #expect(try Self.text(store, "b", "1") == "exp3 {}")
        #expect(try store.hasFeedback("f", of: "a"))
    }

    @Test("A full disk is named, and leaves nothing of a commit behind")
    func reportsFullDisk() throws {
        let catalog = try makeCatalogStore(path)
        try SQLiteSelectionStore(catalog).commit([Self.write("a", nil, "old")])
        try catalog.close()
        let full = SQLiteSelectionStore(try SQLiteCatalogStore(path: path, lockTimeout: .zero, maximumPageCount: 1))
        let error = #expect(throws: CatalogStoreError.self) {
            try full.commit(
                [
                    Self.write("a", nil, "new"), Self.write("a", "1", String(repeating: "x", count: 1 << 20)),
                ], feedback: [CountedFeedback(application: "a", id: "f")])
        }
        #expect(error?.kind == .full)
        #expect(error?.message.hasSuffix("cannot grow: the disk is full") == true)
        #expect(try Self.text(full, "a", nil) == "exp3 old")
        #expect(try Self.text(full, "a", "1") == nil)
        #expect(try !full.hasFeedback("f", of: "a"))
    }

    @Test("A store without its number of starts is corrupt")
    func refusesCorruptStarts() throws {
        try SQLiteCatalogStore(path: path).close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in try db.execute(sql: "DELETE FROM start") }
        try queue.close()
        let store = SQLiteSelectionStore(try SQLiteCatalogStore(path: path))
        let error = #expect(throws: CatalogStoreError.self) { try store.nextStart() }
        #expect(error?.kind == .corrupt)
    }
}

extension SelectionStore {
    fileprivate func commit(_ writes: [SelectionWrite]) throws {
        try commit(writes, feedback: [])
    }
}
