import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("What the dispatch thread decides")
struct DispatchCoreTests {
    private static let now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var core = DispatchCore(
        DispatchCore.Configuration(), handles: Handles(), cache: SharedPredictionCache(capacityBytes: 0),
        policies: .standard, firstBatch: 0, seed: 1, now: now)
    private let sink: Int
    private static let peer = RoutingID(Array("rpc4-container".utf8))

    init() {
        sink = core.addSink()
        _ = core.publish(Catalog.serving(makeModel("sum")), now: Self.now)
    }

    /// A container registers.
    private mutating func register() {
        let session = core.sessions.session(with: Self.peer, by: nil, now: Self.now) { _ in }
        let registration = Registration(
            modelName: "sum", modelVersion: "1", inputType: .float64, rpcVersion: .four)
        core.sessions.receive(.newContainer(registration), from: session, now: Self.now)
        core.advance(isDrained: true, now: Self.now)
    }

    private mutating func ask(_ count: Int = 1) {
        let payload = InputValues(elements: .float64([1]), rowEnds: [1]).payloads[0]
        core.takeQueries(
            [
                Submission(
                    sink: sink, request: 7, application: core.handles.handle(forApplication: "sum"),
                    model: core.handles.handle(for: .sum), inputType: .float64,
                    inputs: .many(Array(repeating: payload, count: count)), arrived: Self.now,
                    deadline: Self.now + .seconds(1))
            ], [], now: Self.now)
        core.advance(isDrained: true, now: Self.now)
    }

    @Test("A query goes out in a batch, and its answer to whoever asked")
    mutating func answers() throws {
        register()
        core.effects = DispatchEffects(deliveries: [[]], acknowledgements: [[]])
        ask()
        let batches = core.effects.takeSendings().batches
        let batch = try #require(batches.first)
        #expect(batch.peer == Self.peer)
        let session = core.sessions.session(with: Self.peer, by: nil, now: Self.now) { _ in }
        core.sessions.receive(.response(batch.dispatch.batch, ["42"]), from: session, now: Self.now)
        core.advance(isDrained: true, now: Self.now)
        #expect(core.effects.deliveries[sink].map(\.request) == [7])
        #expect(core.effects.deliveries[sink].map(\.outcome.defaultReason) == [nil])
        let wasMore = core.goOn(now: Self.now)
        #expect(!wasMore)
    }

    @Test("A batch that cannot be sent costs its replica, and its queries get their default in time")
    mutating func unreachable() throws {
        register()
        ask(2)
        let batches = core.effects.takeSendings().batches
        let batch = try #require(batches.first)
        core.sessions.lose(batch.dispatch.replica)
        let wasMore = core.goOn(now: Self.now)
        #expect(wasMore)
        #expect(core.sessions.listings.isEmpty)
        core.expire(now: Self.now + .seconds(2))
        let reasons = core.effects.deliveries[sink].map(\.outcome.defaultReason)
        #expect(reasons == [.deadline, .deadline])
    }

    @Test("Inputs that have not had their turn by the request's deadline get the default at once, all of them")
    mutating func expires() {
        register()
        core.effects = DispatchEffects(deliveries: [[]], acknowledgements: [[]])
        ask(10_000)
        core.takeQueries([], [], now: Self.now + .seconds(1))
        core.advance(isDrained: true, now: Self.now + .seconds(1))
        #expect(!core.hasMore)
        #expect(core.effects.deliveries[sink].count == 10_000)
        #expect(core.effects.deliveries[sink].allSatisfy { $0.outcome.defaultReason == .deadline })
    }

    @Test("No replica is called stuck while its answer may be among the messages that wait to be read")
    mutating func judgesNobodyUnread() {
        register()
        ask()
        let later = Self.now + .seconds(120)
        core.advance(isDrained: false, now: later)
        #expect(core.scheduler.counters(of: core.handles.handle(for: .sum)).stuck == 0)
        core.advance(isDrained: true, now: later + .milliseconds(5))
        #expect(core.scheduler.counters(of: core.handles.handle(for: .sum)).stuck == 1)
    }

    /// Its second batch is not answered, and it is stuck a second later.
    private mutating func forgetBatch() throws -> MonotonicTime {
        register()
        ask()
        let batch = try #require(core.effects.takeSendings().batches.first)
        let session = core.sessions.session(with: Self.peer, by: nil, now: Self.now) { _ in }
        let answer = ContainerMessage.response(PredictResponse(id: batch.dispatch.batch, outputs: ["42"]))
        core.sessions.receive(answer, from: session, now: Self.now + .milliseconds(10))
        core.advance(isDrained: true, now: Self.now + .milliseconds(10))
        ask()
        _ = core.effects.takeSendings()
        let stuck = Self.now + .seconds(1)
        core.advance(isDrained: true, now: stuck)
        #expect(core.scheduler.counters(of: core.handles.handle(for: .sum)).stuck == 1)
        return stuck
    }

    private mutating func advance(to time: MonotonicTime) {
        let session = core.sessions.session(with: Self.peer, by: nil, now: time) { _ in }
        core.sessions.receive(.heartbeat, from: session, now: time)
        core.advance(isDrained: true, now: time)
        while core.goOn(now: time) {}
    }

    @Test("A container that never answers a batch registers anew once nobody has waited for it for half a minute")
    mutating func forgottenBatch() throws {
        let stuck = try forgetBatch()
        advance(to: stuck + .seconds(29))
        #expect(core.sessions.listings.count == 1)
        _ = core.effects.takeSendings()
        advance(to: stuck + .seconds(30))
        #expect(core.sessions.listings.isEmpty)
        let last = core.effects.takeSendings().messages.last?.message
        guard case .welcome = last else {
            Issue.record("it is told \(String(describing: last))")
            return
        }
        register()
        #expect(core.sessions.listings.count == 1)
    }

    @Test("So does one that is drained: nobody is to wait for its end for ever. It gets nothing after that either")
    mutating func forgottenWhileDraining() throws {
        let stuck = try forgetBatch()
        core.set(.begin, try #require(core.sessions.listings.first?.id))
        advance(to: stuck + .seconds(20))
        #expect(core.sessions.listings.map(\.batchesInFlight) == [1])
        advance(to: stuck + .seconds(40))
        #expect(core.sessions.listings.isEmpty)
        register()
        let replica = try #require(core.sessions.listings.first?.id)
        #expect(core.scheduler.loads[replica]?.state == .draining)
        core.set(.end, replica)
        #expect(core.scheduler.loads[replica]?.state == .active)
    }

    @Test("A connection that ends while the turn sends is looked after by the next turn, at once")
    mutating func lateLoss() {
        register()
        _ = core.effects.takeSendings()
        #expect(!core.hasMore)
        core.sessions.note(.disconnected(descriptor: 9))
        #expect(core.hasMore)
        core.advance(isDrained: true, now: Self.now)
        #expect(!core.hasMore)
    }

    @Test("What a deleted version had is not asked of the one that is registered under its name in the same turn")
    mutating func registersAgain() {
        register()
        ask()
        core.effects = DispatchEffects(deliveries: [[]], acknowledgements: [[]])
        _ = core.publish(Catalog.serving(), now: Self.now)
        _ = core.publish(Catalog.serving(makeModel("sum")), now: Self.now)
        core.advance(isDrained: true, now: Self.now)
        #expect(core.effects.deliveries[sink].map(\.outcome.defaultReason) == [.modelDeleted])
        #expect(core.effects.batches.isEmpty)
    }

    @Test("After a stall nobody is called stuck or silent who may not have been read yet; lost ones are gone")
    mutating func judgesNobodyAfterStall() {
        register()
        ask()
        core.sessions.note(.accepted(descriptor: 7))
        let other = core.sessions.session(with: RoutingID(Array("other".utf8)), by: 7, now: Self.now) { _ in }
        core.sessions.receive(
            .newContainer(Registration(modelName: "else", modelVersion: "1", inputType: .float64)), from: other,
            now: Self.now)
        core.sessions.note(.accepted(descriptor: 8))
        let lost = core.sessions.session(with: RoutingID(Array("lost".utf8)), by: 8, now: Self.now) { _ in }
        core.sessions.receive(
            .newContainer(Registration(modelName: "lost", modelVersion: "1", inputType: .float64)), from: lost,
            now: Self.now)
        core.sessions.note(.disconnected(descriptor: 8))
        let later = Self.now + .seconds(120)
        core.advance(isDrained: true, judges: false, now: later)
        #expect(core.scheduler.counters(of: core.handles.handle(for: .sum)).stuck == 0)
        #expect(core.sessions.listings.map(\.model.name) == ["else", "sum"])
        core.advance(isDrained: true, now: later + .milliseconds(5))
        #expect(core.scheduler.counters(of: core.handles.handle(for: .sum)).stuck == 1)
        #expect(core.sessions.listings.map(\.model.name) == ["sum"])
    }

    @Test("A model may take minutes for its first batch")
    mutating func slowFirstBatch() {
        register()
        ask()
        for second in 1...30 { advance(to: Self.now + .seconds(10) * second) }
        #expect(core.sessions.listings.count == 1)
    }

    @Test("Nobody is given up while messages wait to be read")
    mutating func waitsForMessages() {
        register()
        let later = Self.now + .seconds(60)
        let gaveUpEarly = core.advance(isDrained: false, now: later)
        #expect(!gaveUpEarly)
        #expect(core.sessions.listings.count == 1)
        let gaveUp = core.advance(isDrained: true, now: later)
        #expect(gaveUp)
        #expect(core.sessions.listings.isEmpty)
    }

    @Test("A replica that is to end is told so once it has answered what it has")
    mutating func releases() throws {
        register()
        ask()
        let batches = core.effects.takeSendings().batches
        let batch = try #require(batches.first)
        core.set(.beginAndStop, batch.dispatch.replica)
        core.advance(isDrained: true, now: Self.now)
        #expect(goodbyes().isEmpty)
        let session = core.sessions.session(with: Self.peer, by: nil, now: Self.now) { _ in }
        core.sessions.receive(.response(batch.dispatch.batch, ["42"]), from: session, now: Self.now)
        core.advance(isDrained: true, now: Self.now)
        #expect(goodbyes() == [.drained])
        #expect(core.sessions.listings.isEmpty)
    }

    private mutating func goodbyes() -> [GoodbyeCode] {
        core.effects.takeSendings().messages.compactMap { message in
            if case .goodbye(let goodbye) = message.message { goodbye.code } else { nil }
        }
    }

    @Test("Messages that could not be sent come before what has been decided since")
    func putsBack() {
        var effects = DispatchEffects()
        let messages = [FrontendMessage.accepted(replica: 1), .accepted(replica: 2), .accepted(replica: 3)].map {
            DispatchEffects.Message(message: $0, version: .four, peer: Self.peer)
        }
        effects.messages = [messages[2]]
        effects.putBack(messages[1..<2])
        #expect(effects.messages.map(\.message) == [.accepted(replica: 2), .accepted(replica: 3)])
    }

    @Test("A connection too many is cut, counted and told, and the one that a container speaks by is not")
    mutating func cuts() {
        core = DispatchCore(
            DispatchCore.Configuration(mostConnections: 1), handles: Handles(),
            cache: SharedPredictionCache(capacityBytes: 0), policies: .standard, firstBatch: 0, seed: 1, now: Self.now)
        core.sessions.note(.accepted(descriptor: 7))
        let session = core.sessions.session(with: Self.peer, by: 7, now: Self.now) { _ in }
        core.sessions.receive(.heartbeat, from: session, now: Self.now)
        core.sessions.note(.accepted(descriptor: 8))
        core.advance(isDrained: true, now: Self.now)
        #expect(core.effects.takeCuts() == [8])
        #expect(core.metrics.cutConnections == 1)
        #expect(core.effects.events.contains { if case .cut(connections: 1) = $0 { true } else { false } })
    }

    @Test("Feedback on an input that was read as another type than its application takes by now teaches nothing")
    mutating func feedbackOfAnotherType() {
        let payload = InputValues(elements: .float64([1]), rowEnds: [1]).payloads[0]
        let application = core.handles.handle(forApplication: "sum")
        core.applicationTypes[application] = .string
        let waiter = Waiter(
            ticket: Ticket(sink: sink, request: 3, item: 0), application: application, arrived: Self.now,
            deadline: Self.now + .seconds(1))
        core.takeQueries(
            [],
            [SelectedFeedback(waiter: waiter, subject: .input(payload, .text("x")), inputType: .float64)],
            now: Self.now)
        #expect(core.effects.acknowledgements[sink].map(\.result) == [.notLearning])
    }

    @Test("A replica that is taken back before it has answered is not told to end")
    func takenBack() throws {
        var core = DispatchCore(
            DispatchCore.Configuration(), handles: Handles(), cache: SharedPredictionCache(capacityBytes: 0),
            policies: .standard, firstBatch: 0, seed: 1, now: Self.now)
        let sink = core.addSink()
        _ = core.publish(Catalog.serving(makeModel("sum")), now: Self.now)
        let session = core.sessions.session(with: RoutingID(Array("rpc4-container".utf8)), by: nil, now: Self.now) {
            _ in
        }
        let registration = Registration(modelName: "sum", modelVersion: "1", inputType: .float64, rpcVersion: .four)
        core.sessions.receive(.newContainer(registration), from: session, now: Self.now)
        core.advance(isDrained: true, now: Self.now)
        let payload = InputValues(elements: .float64([1]), rowEnds: [1]).payloads[0]
        core.takeQueries(
            [
                Submission(
                    sink: sink, request: 7, application: core.handles.handle(forApplication: "sum"),
                    model: core.handles.handle(for: .sum), inputType: .float64, inputs: .many([payload]),
                    arrived: Self.now, deadline: Self.now + .seconds(1))
            ], [], now: Self.now)
        core.advance(isDrained: true, now: Self.now)
        let batches = core.effects.takeSendings().batches
        let batch = try #require(batches.first)
        core.set(.beginAndStop, batch.dispatch.replica)
        core.set(.end, batch.dispatch.replica)
        core.sessions.receive(.response(batch.dispatch.batch, ["42"]), from: session, now: Self.now)
        core.advance(isDrained: true, now: Self.now)
        #expect(core.sessions.listings.map(\.id) == [batch.dispatch.replica])
    }

    @Test("A query that waits for a state as the frontend ends hears that, also where the state has just been read")
    func endsWhileReading() throws {
        var core = DispatchCore(
            DispatchCore.Configuration(), handles: Handles(), cache: SharedPredictionCache(capacityBytes: 0),
            policies: .standard, firstBatch: 0, seed: 1, now: Self.now)
        let sink = core.addSink()
        let application = Application(
            name: "app", inputType: .float64, defaultOutput: "", latencySLO: .seconds(1), linkedModels: ["sum"],
            selection: SelectionSettings(policy: PolicyDescription("exp3")))
        _ = core.publish(Catalog.serving(makeModel("sum"), applications: [application]), now: Self.now)
        core.takeQueries(
            [
                Submission(
                    sink: sink, request: 7, application: core.handles.handle(forApplication: "app"),
                    inputType: .float64,
                    inputs: .one(InputValues(elements: .float64([1]), rowEnds: [1]).payloads[0]), selects: true,
                    arrived: Self.now, deadline: Self.now + .seconds(1))
            ], [], now: Self.now)
        core.advance(isDrained: true, now: Self.now)
        let answers = core.effects.storeRequests.compactMap { request -> SelectionStoreAnswer? in
            if case .load(let key, let policy, _) = request { .loaded(key, policy: policy, nil) } else { nil }
        }
        #expect(answers.count == 1)
        core.abandonQueries(now: Self.now)
        core.abandonAll(answers, now: Self.now)
        #expect(core.effects.deliveries[sink].map(\.outcome.defaultReason) == [.stopping])
    }

    @Test("Feedback on what a deleted application was asked teaches nothing to a new one of its name")
    mutating func forgetsAnswered() throws {
        let application = Application(
            name: "app", inputType: .float64, defaultOutput: "", latencySLO: .seconds(1), linkedModels: ["sum"],
            selection: SelectionSettings(policy: PolicyDescription("exp4")))
        let handle = core.handles.handle(forApplication: "app")
        let catalog = Catalog.serving(makeModel("sum"), applications: [application])
        _ = core.publish(catalog, now: Self.now)
        let answered = AnsweredQueries.Answered(
            application: handle, user: nil,
            members: [AnsweredQueries.Answered.Member(model: "sum", probability: 1, output: "1")],
            candidates: ["sum"], output: nil)
        core.selector.answered.insert(answered, id: 7, now: Self.now)
        _ = core.publish(Catalog.serving(makeModel("sum")), now: Self.now)
        _ = core.publish(catalog, now: Self.now)
        #expect(core.selector.answered.query(7, of: handle, now: Self.now) == nil)
        #expect(core.selector.answered.byteCount == 0)
    }
}
