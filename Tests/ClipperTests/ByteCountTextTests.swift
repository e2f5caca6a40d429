import Testing

@testable import clipper

@Suite("Numbers of bytes on the command line")
struct ByteCountTextTests {
    @Test(
        "A decimal number and a unit make a number of bytes",
        arguments: [
            ("0", 0), ("1", 1), ("33554432", 33_554_432), ("32MiB", 33_554_432), ("32Mi", 33_554_432),
            ("1KiB", 1024), ("2GiB", 2_147_483_648), ("1k", 1000), ("1K", 1000), ("3M", 3_000_000),
            ("2G", 2_000_000_000), ("2GB", 2_000_000_000), ("64kB", 64_000), ("512B", 512), ("1.5GiB", 1_610_612_736),
            ("0.5KiB", 512), ("1.0000000000KiB", 1024), ("0.000000001G", 1), ("32 MiB", 33_554_432), ("0GiB", 0),
            ("1048576GiB", 1 << 50), ("007", 7),
        ])
    func parses(text: String, bytes: Int) throws {
        #expect(try ByteCountText.parse(text) == bytes)
    }

    @Test(
        "What is no whole number of bytes, or more than there can be, is refused",
        arguments: [
            "", "MiB", "-1", "+1", "1.5", "0.3KiB", "1.0000000001GiB", "1TiB", "1mib", "1MIB", "1MiBs", "1..5k", ".5k",
            "5.k", "1e3", "٣", "1048577GiB", "1125899906842625", "99999999999999999999", "9223372036854775807GiB",
            "one",
        ])
    func refuses(text: String) {
        #expect(throws: ArgumentTextError.self) { try ByteCountText.parse(text) }
    }

    @Test("An unknown unit is named with those that there are")
    func namesUnits() {
        let error = #expect(throws: ArgumentTextError.self) { try ByteCountText.parse("32mb") }
        #expect(error?.description == "'mb' is no unit here; the units are KiB, MiB, GiB (1024s), k, M, G (1000s)")
    }

    @Test(
        "A number is written in the largest unit in which it is whole",
        arguments: [
            (0, "0"), (1, "1"), (1023, "1023"), (1024, "1KiB"), (1536, "1536"), (33_554_432, "32MiB"),
            (1_610_612_736, "1536MiB"), (3 << 30, "3GiB"),
        ])
    func formats(bytes: Int, text: String) throws {
        #expect(ByteCountText.format(bytes) == text)
        #expect(try ByteCountText.parse(text) == bytes)
    }
}
