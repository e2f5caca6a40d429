import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("A dispatch thread that stood still")
struct StallWatchTests {
    private var stalls = StallWatch()

    /// A turn begins: whether containers may be judged in it.
    private mutating func turn(at time: Duration) -> Bool {
        stalls.look(now: at(time))
        return stalls.judges(now: at(time))
    }

    private mutating func sleep(at time: Duration, until deadline: Duration?) {
        stalls.look(now: at(time))
        stalls.sleep(until: deadline.map { at($0) })
    }

    @Test("A turn that begins when it was to, or for what came before, judges containers")
    mutating func onTime() {
        let first = turn(at: .zero)
        sleep(at: .milliseconds(1), until: .milliseconds(50))
        let woken = turn(at: .milliseconds(30))
        sleep(at: .milliseconds(31), until: .milliseconds(50))
        let due = turn(at: .milliseconds(54))
        sleep(at: .milliseconds(55), until: nil)
        let later = turn(at: .seconds(90))
        #expect([first, woken, due, later] == [true, true, true, true])
        #expect(stalls.pauseEnd == nil)
    }

    @Test("One that begins too late judges nobody, nor does the next, until what has come can have been read")
    mutating func late() {
        sleep(at: .zero, until: .milliseconds(50))
        let late = turn(at: .milliseconds(56))
        #expect(!late)
        #expect(stalls.pauseEnd == at(.milliseconds(61)))
        let next = turn(at: .milliseconds(57))
        sleep(at: .milliseconds(57), until: .milliseconds(61))
        let read = turn(at: .milliseconds(61))
        #expect(!next && read)
        #expect(stalls.pauseEnd == nil)
    }

    @Test("So it is after a turn that stood still, whether the thread slept after it or not")
    mutating func stoppedInTurn() {
        _ = turn(at: .zero)
        sleep(at: .milliseconds(150), until: .milliseconds(151))
        let slept = turn(at: .milliseconds(151))
        _ = turn(at: .milliseconds(160))
        let went = turn(at: .milliseconds(310))
        #expect(!slept && !went)
    }

    @Test("A thread that is always late judges all the same, once a second")
    mutating func alwaysLate() {
        var judged: [Int] = []
        for number in 0..<300 where turn(at: .milliseconds(10 * number)) { judged.append(number) }
        #expect(judged == [0, 101, 202])
    }
}
