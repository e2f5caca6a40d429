import ContainerRPC
import Testing

@Suite("Random numbers that can be repeated")
struct SplitMix64Tests {
    private var generator = SplitMix64(seed: 1_234_567)

    @Test("They are those of the algorithm's reference implementation")
    mutating func isSplitMix64() {
        var numbers: [UInt64] = []
        for _ in 0..<3 { numbers.append(generator.next()) }
        #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test("A unit is from 0 up to 1, without 1")
    mutating func units() {
        for _ in 0..<1000 {
            let unit = generator.unit()
            #expect((0..<1).contains(unit))
        }
    }
}
