import Testing

@testable import QueryFrontend

@Suite("Body of update")
struct UpdateBodyTests {
    @Test("It takes a label that is an integer or a fraction", arguments: ["1", "-1", "0.5", "1e3"])
    func label(label: String) {
        #expect(problem(#"{"uid": 7, "input": [1], "label": \#(label)}"#, isFeedback: true) == nil)
    }

    @Test(
        "It needs a user and a label",
        arguments: [
            (#"{"input": [1], "label": 1}"#, "the key 'uid' is missing"),
            (#"{"uid": "a", "input": [1], "label": 1}"#, "uid: expected an integer, found a string"),
            (
                #"{"uid": 1.5, "input": [1], "label": 1}"#,
                "uid: expected an integer, found a number with a fraction or exponent"
            ),
            (#"{"uid": 1, "input": [1]}"#, "the key 'label' is missing"),
            (#"{"uid": 1, "input": [1], "label": "x"}"#, "label: expected a number, found a string"),
            (#"{"uid": 1, "label": 1}"#, "the key 'input' or 'input_batch' is missing"),
            (#"{"uid": 1, "label": 1, "input": ["a"]}"#, "input[0]: expected a number, found a string"),
        ])
    func needsUserAndLabel(body: String, cause: String) {
        #expect(problem(body, isFeedback: true) == cause)
    }

    @Test("A predict needs neither")
    func predictNeedsNeither() {
        #expect(problem(#"{"uid": "a", "label": "b", "input": [1]}"#) == nil)
    }
}
