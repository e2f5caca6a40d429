import Testing

@testable import QueryFrontend

@Suite("Where JSON is malformed")
struct JSONScannerTests {
    @Test(
        "Halves of surrogate pairs are no characters, whole ones are",
        arguments: [
            (#""\ud83c\udf31""#, nil), (#""\u00e9 \uD83C\uDF31""#, nil),
            (#""\ud800""#, 1), (#""a\udf31""#, 2), (#""\ud800\ud800""#, 1), (#""\ud800x""#, 1), (#""\ud800\n""#, 1),
        ])
    func surrogates(text: String, place: Int?) {
        let problem = JSONScanner.problem(of: Array(text.utf8))
        #expect(problem == place.map { "half a surrogate pair, which is no character, at byte \($0)" })
    }
}
