import Testing

@testable import clipper

@Suite("Durations on the command line")
struct DurationTextTests {
    @Test(
        "A decimal number and a unit make a duration",
        arguments: [
            ("100ms", Duration.milliseconds(100)), ("1s", .seconds(1)), ("20000us", .milliseconds(20)),
            ("0.5s", .milliseconds(500)), ("1.25ms", .microseconds(1250)), ("3µs", .microseconds(3)),
            ("3μs", .microseconds(3)), ("0.000001s", .microseconds(1)), ("007ms", .milliseconds(7)),
            ("1.500000000s", .milliseconds(1500)), ("86400s", .seconds(86_400)), ("10m", .seconds(600)),
            ("0.5m", .seconds(30)), ("24h", .seconds(86_400)), ("1.25h", .seconds(4500)),
        ])
    func parses(text: String, duration: Duration) throws {
        #expect(try DurationText.parse(text) == duration)
    }

    @Test("Zero is taken where it means something")
    func parsesZero() throws {
        #expect(try DurationText.parse("0ms", allowsZero: true) == .zero)
        #expect(throws: ArgumentTextError.self) { try DurationText.parse("0ms") }
    }

    @Test("A number without a unit is refused, with the ways to write it")
    func refusesBareNumber() {
        let error = #expect(throws: ArgumentTextError.self) { try DurationText.parse("100") }
        #expect(error?.description == "the unit is missing; write 100us, 100ms, 100s, 100m or 100h")
    }

    @Test(
        "What is no positive duration of whole microseconds up to a day is refused",
        arguments: [
            "", "ms", "-5ms", "+5ms", "0s", "0.0ms", "1.5us", "0.0001ms", "5 ms", "5min", "5MS", "1..5s", ".5s", "5.s",
            "1,5s", "1e3ms", "٣ms", "86400.000001s", "99999999999999999999s", "NaNs", "1s1s", "24.0001h",
            "1441m", "153722867280912930m", "1d",
        ])
    func refuses(text: String) {
        #expect(throws: ArgumentTextError.self) { try DurationText.parse(text) }
    }

    @Test(
        "A duration is written in the largest unit that keeps it at one or more",
        arguments: [
            (Duration.microseconds(1), "1us"), (.microseconds(999), "999us"), (.milliseconds(1), "1ms"),
            (.microseconds(1250), "1.25ms"), (.milliseconds(100), "100ms"), (.milliseconds(1500), "1.5s"),
            (.seconds(86_400), "86400s"), (.zero, "0us"), (.milliseconds(-1500), "-1.5s"),
        ])
    func formats(duration: Duration, text: String) {
        #expect(DurationText.format(duration) == text)
    }

    @Test(
        "What is written is read as the same duration",
        arguments: [1, 17, 1000, 1001, 999_999, 1_000_001, 86_400_000_000])
    func roundTrips(microseconds: Int) throws {
        let duration = Duration.microseconds(microseconds)
        #expect(try DurationText.parse(DurationText.format(duration)) == duration)
    }
}
