import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The time that an answer's way back takes")
struct ReturnTimeTests {
    private var time = ReturnTime()
    private let slo = Duration.milliseconds(100)

    @Test("Nothing is taken off before anything is known")
    func unknown() {
        #expect(time.allowance(within: slo, now: at(.zero)) == .zero)
    }

    @Test("It is a little more than ways back take, and at most a tenth of the time")
    mutating func usual() {
        for step in 0..<100 {
            time.note(.microseconds(step % 2 == 0 ? 200 : 300), now: at(.milliseconds(step)))
        }
        let allowance = time.allowance(within: slo, now: at(.milliseconds(100)))
        #expect(allowance > .microseconds(300) && allowance < .milliseconds(1))
        #expect(time.allowance(within: .milliseconds(1), now: at(.milliseconds(100))) == .microseconds(100))
    }

    @Test("What it was under a load is forgotten when the load is over, with answers and without")
    mutating func fades() {
        for step in 0..<100 { time.note(.milliseconds(20), now: at(.milliseconds(step))) }
        #expect(time.allowance(within: slo, now: at(.milliseconds(100))) == .milliseconds(10))
        #expect(time.allowance(within: slo, now: at(.seconds(8))) < .microseconds(10))
        for second in 8..<11 { time.note(.microseconds(200), now: at(.seconds(second))) }
        let allowance = time.allowance(within: slo, now: at(.seconds(10)))
        #expect(allowance > .microseconds(200) && allowance < .milliseconds(1))
    }
}
