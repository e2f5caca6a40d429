import ContainerRPC
import Testing

@Suite("Alarms")
struct AlarmTests {
    private let alarm: Alarm

    init() throws {
        alarm = try Alarm()
    }

    @Test("It wakes who waits when the time is up", arguments: [Duration.zero, .seconds(-1), .milliseconds(1)])
    func rings(after duration: Duration) throws {
        alarm.set(after: duration)
        #expect(try waitForInput([alarm.descriptor], timeout: .seconds(180)) == [true])
    }

    @Test("An alarm that is cleared wakes nobody, also where it has rung")
    func clears() throws {
        alarm.set(after: .zero)
        #expect(try waitForInput([alarm.descriptor], timeout: .seconds(180)) == [true])
        alarm.clear()
        #expect(try waitForInput([alarm.descriptor], timeout: .zero) == [false])
    }
}
