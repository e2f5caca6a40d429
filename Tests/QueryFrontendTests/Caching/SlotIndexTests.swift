import Testing

@testable import QueryFrontend

@Suite("The index of slots")
struct SlotIndexTests {
    @Test("A slot that is not there cannot be taken out: it is not sought for ever")
    func removesUnknown() async {
        await #expect(processExitsWith: .failure) {
            var part = SlotIndexPart()
            part.insert(1, hash: 1)
            part.remove(2, hash: 1)
        }
    }
}
