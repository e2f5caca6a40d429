import ContainerRPC
import TestSupport
import Testing

@testable import QueryFrontend

@Suite("What the frontend logs of its containers")
struct DispatchLogTests {
    private static let replica = ReplicaID(number: 5)
    private static let model = Handles().handle(for: .sum)
    private let recorded = RecordedLog()

    /// The lines of events that follow each other at once.
    private func lines(_ events: DispatchEvent...) -> [String] {
        var log = DispatchLog(logger: recorded.logger)
        for event in events { log.note(event, now: MonotonicTime(nanoseconds: 0)) }
        return recorded.lines
    }

    private func added(registered: InputType?) -> DispatchEvent {
        .added(Self.replica, .sum, number: 0, taken: registered)
    }

    @Test("A replica that serves is told at info")
    func added() {
        #expect(
            lines(added(registered: .float64)) == [
                "info replica added input_type=doubles model=sum:1 protocol=RPC 3 replica=0"
            ])
    }

    @Test("A replica of a model that nobody has registered is told to get nothing, and why")
    func unregistered() {
        #expect(
            lines(added(registered: nil)) == [
                "notice replica added; nobody has registered sum:1: it gets nothing until somebody does "
                    + "input_type=doubles model=sum:1 protocol=RPC 3 replica=0"
            ])
    }

    @Test("A replica that takes something else than its model is registered with is told to get nothing, in one line")
    func unsuitable() {
        #expect(
            lines(added(registered: .string)) == [
                "warning replica added; its input type is not the one that its model is registered with: it gets nothing "
                    + "input_type=doubles model=sum:1 protocol=RPC 3 registered_input_type=strings replica=0"
            ])
    }

    @Test("A model's failure is a warning; that it cannot answer now, or refuses an input, is none")
    func failures() {
        #expect(
            lines(added(registered: .float64), .inputFailed(Self.replica, .modelError, "broken")).last
                == "warning a model failed: broken code=model error model=sum:1 replica=0")
        let unavailable = DispatchEvent.failed(
            Self.replica, BatchFailure(id: 1, code: .unavailable, reason: "warming up"))
        #expect(
            lines(unavailable).last == "notice a replica is unavailable: warming up code=unavailable")
        #expect(
            lines(.inputFailed(Self.replica, .invalidInput, "no zeros")).last
                == "info a model refused an input: no zeros code=invalid input")
    }

    @Test("Keys of metadata are words without spaces, and say their unit")
    func keys() {
        let stuck = SchedulerEffects.Notice.stuck(Self.replica, Self.model, batchAge: .microseconds(87_988))
        #expect(lines(.noticed(stuck)).last?.hasSuffix("registers anew batch_age_ms=87") == true)
        let end = FrontendSession.EndReason.silent
        #expect(lines(.removed(Self.replica, end, retried: 3)).last?.hasSuffix(" queries_sent_elsewhere=3") == true)
    }

    @Test("How many lines of a kind were left out before is told")
    func suppressed() {
        var log = DispatchLog(logger: recorded.logger)
        for second in [0, 0, 0, 1] {
            log.note(
                .inputFailed(Self.replica, .modelError, "broken"),
                now: MonotonicTime(nanoseconds: 0) + .seconds(second))
        }
        #expect(
            recorded.lines == [
                "warning a model failed: broken code=model error",
                "warning a model failed: broken code=model error not_logged_before=2",
            ])
    }
}
