import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Numbers for names")
struct HandlesTests {
    @Test("A name keeps its number, and no two names have the same")
    func numbers() {
        let handles = Handles()
        let models = (0..<100).map { handles.handle(for: ModelVersion(name: "m\($0 / 10)", version: "\($0 % 10)")) }
        #expect(Set(models).count == 100)
        #expect(handles.handle(for: ModelVersion(name: "m4", version: "2")) == models[42])
        #expect(handles.handle(forApplication: "a") != handles.handle(forApplication: "b"))
        #expect(handles.handle(forApplication: "a") == handles.handle(forApplication: "a"))
    }

    @Test("Callers at once get the same number for the same name")
    func concurrent() async {
        let handles = Handles()
        let numbers = await withTaskGroup(of: [ApplicationHandle].self) { group in
            for _ in 0..<8 { group.addTask { (0..<100).map { handles.handle(forApplication: "a\($0)") } } }
            return await group.reduce(into: []) { $0.append(Set($1)) }
        }
        #expect(numbers.allSatisfy { $0.count == 100 })
        #expect(numbers.reduce(into: Set()) { $0.formUnion($1) }.count == 100)
    }
}

@Suite("A socket that never runs dry")
struct FloodWatchTests {
    private var flood = FloodWatch()

    /// Looks so often without the socket having run dry, and says whether the wait is over with the last one.
    private mutating func look(_ count: Int, at time: Duration) -> Bool {
        var ends = false
        for _ in 0..<count { ends = flood.endsWait(isDrained: false, now: at(time)) }
        return ends
    }

    @Test("Where all has been read, containers that are lost may be given up")
    mutating func drained() {
        let ends = flood.endsWait(isDrained: true, now: at(.zero))
        #expect(ends)
    }

    @Test("While messages wait, their senders are heard first, for a second")
    mutating func waits() {
        let early = look(100, at: .milliseconds(999))
        let late = look(1, at: .milliseconds(1_999))
        #expect(!early && late)
        let again = look(100, at: .milliseconds(2_998))
        let later = look(1, at: .milliseconds(2_999))
        #expect(!again && later)
    }

    @Test("Time that passes while nothing is read gives nobody up")
    mutating func stalls() {
        let before = look(10, at: .zero)
        let after = look(53, at: .seconds(60))
        let read = look(1, at: .seconds(60))
        #expect(!before && !after && read)
    }

    @Test("A socket that has run dry meanwhile begins anew")
    mutating func beginsAnew() {
        _ = look(100, at: .zero)
        _ = flood.endsWait(isDrained: true, now: at(.milliseconds(900)))
        let ends = look(100, at: .milliseconds(1_100))
        #expect(!ends)
    }
}

@Suite("Outcomes for callers in this process")
struct DirectSinkTests {
    private let sink = DirectSink()

    private func delivery(_ request: UInt64, _ item: Int, _ text: String) -> Delivery {
        Delivery(request: request, item: item, outcome: .output(ArraySlice(text.utf8)))
    }

    @Test("A caller gets all outcomes of its request, each in its place")
    func places() async {
        let outcomes = await sink.outcomes(of: 3) { number in
            sink.deliver([delivery(number, 2, "c")])
            sink.deliver([delivery(number, 0, "a"), delivery(number, 1, "b")])
        }
        #expect(outcomes.map { Got($0.outcome) } == [.output("a"), .output("b"), .output("c")])
    }

    @Test("Outcomes of several requests may come together, and those of none are passed over")
    func requests() async {
        let first = await sink.outcomes(of: 1) { first in
            sink.deliver([delivery(first + 100, 0, "nobody's"), delivery(first, 0, "first")])
        }
        let second = await sink.outcomes(of: 1) { second in
            sink.deliver([delivery(second - 1, 0, "too late"), delivery(second, 0, "second")])
        }
        #expect(
            [first, second].map { deliveries in deliveries.map { Got($0.outcome) } } == [
                [.output("first")], [.output("second")],
            ])
    }

    @Test("A request without inputs is not handed over")
    func empty() async {
        let outcomes = await sink.outcomes(of: 0) { _ in Issue.record("nothing is to be handed over") }
        #expect(outcomes.isEmpty)
    }
}

@Suite("The gathering of heartbeats")
struct HeartbeatGatheringTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test("After a look at what many idle containers said, the next messages may gather for a tenth of a second")
    func gathers() {
        var gathering = HeartbeatGathering()
        gathering.noteRead(now: start)
        let end = gathering.pauseEnd(sessions: 1000, now: start + .milliseconds(40), isAtRest: true)
        #expect(end == start + .milliseconds(100))
    }

    @Test("A message that comes after a pause is read at once")
    func readsAtOnce() {
        var gathering = HeartbeatGathering()
        #expect(gathering.pauseEnd(sessions: 1000, now: start, isAtRest: true) == nil)
        gathering.noteRead(now: start)
        #expect(gathering.pauseEnd(sessions: 1000, now: start + .milliseconds(100), isAtRest: true) == nil)
    }

    @Test("Nothing gathers while a batch is in flight: its answer is waited for")
    func answersDoNotWait() {
        var gathering = HeartbeatGathering()
        gathering.noteRead(now: start)
        #expect(gathering.pauseEnd(sessions: 1000, now: start, isAtRest: false) == nil)
    }

    @Test("Nothing gathers where few containers are connected: one that registers is not kept waiting")
    func fewDoNotWait() {
        var gathering = HeartbeatGathering()
        gathering.noteRead(now: start)
        #expect(gathering.pauseEnd(sessions: 8, now: start, isAtRest: true) == nil)
    }
}

@Suite("The gathering of queries")
struct ArrivalGatheringTests {
    private let busy = ModelHandle(index: 0)
    private let idle = ModelHandle(index: 1)

    /// Replicas of one model have as much as they may have; those of the other have room.
    private func gather(after pause: Duration = .zero, opening: MonotonicTime = .distantFuture) -> ArrivalGathering? {
        ArrivalGathering(
            lastTaken: at(.zero), openings: [opening, .distantPast], models: [0, 1], now: at(pause))
    }

    private func submission(
        to model: ModelHandle?, selects: Bool = false, due: Duration = .seconds(1)
    ) -> Submission {
        Submission(
            sink: 0, request: 0, application: ApplicationHandle(index: 0), model: model,
            inputType: .bytes, inputs: .one(Payload(copying: [1])), selects: selects, arrived: at(.zero),
            deadline: at(due))
    }

    @Test("A query that no replica could take yet may wait for a millisecond after the last ones were taken")
    func gathers() throws {
        let gathering = try #require(gather(after: .microseconds(300)))
        #expect(gathering.end == at(.milliseconds(1)))
        #expect(gathering.mayHold(submission(to: busy)))
    }

    @Test("A query that a replica could take does not wait")
    func roomIsUsed() throws {
        #expect(try #require(gather()).mayHold(submission(to: idle)) == false)
        let soon = ArrivalGathering(
            lastTaken: at(.zero), openings: [at(.microseconds(700)), .distantFuture], models: [0, 1], now: at(.zero))
        #expect(try #require(soon).mayHold(submission(to: busy)) == false)
    }

    @Test("A query that is due soon does not wait, nor one whose model is not known yet, or not at all")
    func urgent() throws {
        let gathering = try #require(gather())
        #expect(!gathering.mayHold(submission(to: busy, due: .microseconds(900))))
        #expect(!gathering.mayHold(submission(to: busy, selects: true)))
        #expect(!gathering.mayHold(submission(to: nil)))
        #expect(!gathering.mayHold(submission(to: ModelHandle(index: 2))))
    }

    @Test("Nothing gathers a millisecond after the last queries were taken, nor where each could be used at once")
    func ends() {
        #expect(gather(after: .milliseconds(1)) == nil)
        #expect(ArrivalGathering(lastTaken: at(.zero), openings: [.distantPast], models: [0], now: at(.zero)) == nil)
        #expect(ArrivalGathering(lastTaken: nil, openings: [.distantFuture], models: [0], now: at(.zero)) == nil)
        #expect(ArrivalGathering(lastTaken: at(.zero), openings: [.distantFuture], models: [], now: at(.zero)) == nil)
    }

    @Test("The dispatcher tells who hands a query over whether the thread has to be woken, until it has taken all")
    func receipts() throws {
        let dispatcher = try Dispatcher()
        #expect(dispatcher.prepareToSleep(gather()))
        #expect(dispatcher.hand(over: submission(to: busy)) == .gathers)
        #expect(dispatcher.hand(over: submission(to: idle)) == .awaitsWake)
        var taken = Dispatcher.Inbox()
        dispatcher.takeInbox(into: &taken)
        #expect(taken.submissions.count == 2)
        #expect(dispatcher.hand(over: submission(to: busy)) == .awaitsWake)
        _ = dispatcher.close()
        #expect(dispatcher.hand(over: submission(to: busy)) == .refused)
    }
}

@Suite("Requests on their way into the scheduler")
struct SubmissionBacklogTests {
    private func submission(_ request: UInt64, inputs: Int, due: Duration = .seconds(1)) -> Submission {
        Submission(
            sink: 0, request: request, application: ApplicationHandle(index: 0), model: nil,
            inputType: .bytes, inputs: .many(Array(repeating: Payload(copying: [1]), count: inputs)),
            arrived: at(.zero),
            deadline: at(due))
    }

    private func turn(_ backlog: inout SubmissionBacklog, now: Duration = .zero) -> [UInt64: Range<Int>] {
        var taken: [UInt64: Range<Int>] = [:]
        var turn = backlog.beginTurn()
        while let (submission, items) = backlog.next(in: &turn, now: at(now)) { taken[submission.request] = items }
        return taken
    }

    @Test("A small request that comes behind a large one goes with the first turn")
    func takesTurns() {
        var backlog = SubmissionBacklog()
        backlog.append(submission(1, inputs: 600))
        backlog.append(submission(2, inputs: 1))
        #expect(turn(&backlog) == [1: 0..<256, 2: 0..<1])
        backlog.append(submission(3, inputs: 2))
        #expect(turn(&backlog) == [1: 256..<512, 3: 0..<2])
        #expect(turn(&backlog) == [1: 512..<600])
        #expect(backlog.isEmpty)
    }

    @Test("A turn takes no input more than it may, also where the last request's do not fit into it evenly")
    func boundsUnevenTurns() {
        var backlog = SubmissionBacklog()
        let payload = InputValues(elements: .float64([1]), rowEnds: [1]).payloads[0]
        for request in 0..<10 {
            backlog.append(
                Submission(
                    sink: 0, request: UInt64(request), application: ApplicationHandle(index: 0),
                    model: ModelHandle(index: 0), inputType: .float64,
                    inputs: .many(Array(repeating: payload, count: request == 0 ? 100 : 300)), arrived: at(.zero),
                    deadline: at(.seconds(1))))
        }
        var turn = backlog.beginTurn()
        var taken = 0
        while let (_, items) = backlog.next(in: &turn, now: at(.zero)) { taken += items.count }
        #expect(taken == SubmissionBacklog.inputsPerTurn)
    }

    @Test("A turn is bounded, and who had none goes first in the next")
    func boundsTurns() {
        var backlog = SubmissionBacklog()
        for request in 0..<10 { backlog.append(submission(UInt64(request), inputs: 300)) }
        let first = turn(&backlog)
        #expect(first.values.reduce(0) { $0 + $1.count } == SubmissionBacklog.inputsPerTurn)
        #expect(Set(first.keys) == Set(0..<8))
        let second = turn(&backlog)
        #expect(second[8] == 0..<256 && second[9] == 0..<256)
        #expect(second[0] == 256..<300)
    }

    @Test("All that is left of a request whose deadline has come is taken at once")
    func takesExpired() {
        var backlog = SubmissionBacklog()
        backlog.append(submission(1, inputs: 50_000, due: .milliseconds(20)))
        backlog.append(submission(2, inputs: 600))
        #expect(turn(&backlog, now: .milliseconds(19)) == [1: 0..<256, 2: 0..<256])
        #expect(turn(&backlog, now: .milliseconds(20)) == [1: 256..<50_000])
        #expect(turn(&backlog, now: .milliseconds(20)) == [2: 256..<512])
    }

    @Test("What no turn has taken can be taken at once")
    func takesAll() {
        var backlog = SubmissionBacklog()
        backlog.append(submission(1, inputs: 300))
        _ = turn(&backlog)
        backlog.append(submission(2, inputs: 3))
        #expect(backlog.removeAll().map(\.items) == [256..<300, 0..<3])
        #expect(backlog.isEmpty)
    }
}
