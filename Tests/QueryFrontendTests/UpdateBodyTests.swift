import ContainerRPC
import NIOCore
import Testing

@testable import QueryFrontend

@Suite("Body of update")
struct UpdateBodyTests {
    @Test("It takes a label that is an integer or a fraction", arguments: ["1", "-1", "0.5", "1e3"])
    func label(label: String) throws {
        for isStrict in [true, false] {
            let piece = try parseFeedback(
                #"{"uid": 7, "input": [1], "label": \#(label)}"#, isStrict: isStrict)
            guard case .input(let input, .number(let number)) = piece.subject else {
                Issue.record("\(piece) holds no input with a number")
                return
            }
            #expect(number == Double(label))
            #expect(input.byteCount == 8)
            #expect(piece.user == "7")
            #expect(piece.id == nil)
        }
    }

    @Test(
        "Of an application that chooses as Clipper does it needs a user and a label as Clipper does",
        arguments: [
            (#"{"input": [1], "label": 1}"#, "the key 'uid' is missing"),
            (#"{"uid": "a", "input": [1], "label": 1}"#, "uid: expected an integer, found a string"),
            (
                #"{"uid": 1.5, "input": [1], "label": 1}"#,
                "uid: expected an integer, found a number with a fraction or exponent"
            ),
            (#"{"uid": 1, "input": [1]}"#, "the key 'label' is missing"),
            (#"{"uid": 1, "input": [1], "label": "x"}"#, "label: expected a number, found a string"),
            (#"{"uid": 1, "label": 1}"#, "the key 'input' or 'query_id' is missing"),
            (#"{"uid": 1, "label": 1, "input": ["a"]}"#, "input[0]: expected a number, found a string"),
        ])
    func needsUserAndLabel(body: String, cause: String) {
        #expect(problem { _ = try parseFeedback(body, isStrict: true) } == cause)
    }

    @Test(
        "Any other takes labels of text, numbers or several of them, and users by any name",
        arguments: [
            (#""seven""#, Label.text("seven")), ("true", .text("true")), ("[1, 2.5]", .numbers([1, 2.5])),
            ("[]", .numbers([])), ("7", .number(7)),
        ])
    func labels(text: String, label: Label) throws {
        let piece = try parseFeedback(#"{"uid": "anna", "input": [1], "label": \#(text), "feedback_id": 12}"#)
        guard case .input(_, let found) = piece.subject else {
            Issue.record("\(piece) holds no input")
            return
        }
        #expect(found == label)
        #expect(piece.user == "anna")
        #expect(piece.id == "12")
    }

    @Test("A query is named by its id, with a label or a reward")
    func queries() throws {
        let labelled = try parseFeedback(#"{"query_id": 12, "label": "cat", "feedback_id": "f-1"}"#)
        guard case .query(12, .label(.text("cat"))) = labelled.subject else {
            Issue.record("\(labelled)")
            return
        }
        #expect(labelled.id == "f-1")
        let rewarded = try parseFeedback(#"{"query_id": 9007199254740993, "reward": 0.25}"#)
        guard case .query(9_007_199_254_740_993, .reward(0.25)) = rewarded.subject else {
            Issue.record("\(rewarded)")
            return
        }
    }

    @Test(
        "What is wrong with feedback is said",
        arguments: [
            (#"{"query_id": -1, "label": 1}"#, "query_id: expected a whole number from 0 on, found a negative one"),
            (
                #"{"query_id": 18446744073709551616, "label": 1}"#,
                "query_id: expected a whole number from 0 on, found one beyond 64 bits"
            ),
            (#"{"query_id": 1}"#, "the key 'label' or 'reward' is missing"),
            (#"{"query_id": 1, "label": 1, "reward": 1}"#, "'label' and 'reward' exclude each other"),
            (#"{"query_id": 1, "reward": 1.5}"#, "reward: expected a number from 0 to 1, found another"),
            (#"{"query_id": 1, "reward": "much"}"#, "reward: expected a number from 0 to 1, found a string"),
            (
                #"{"query_id": 1, "label": 1, "input": [1]}"#,
                "'query_id' and 'input' exclude each other: the query's input is known"
            ),
            (
                #"{"input": [1], "reward": 1}"#,
                "a 'reward' judges the answer to a query: name it by its 'query_id'"
            ),
            (
                #"{"input": [1], "label": {}}"#,
                "label: expected a number, a string or an array of numbers, found an object"
            ),
            (#"{"input": [1], "label": [1, "a"]}"#, "label: expected an array of numbers, found a string in it"),
            (
                #"{"input": [1], "label": 1, "feedback_id": ""}"#,
                "feedback_id: expected an integer of 64 bits or a string of at most 256 bytes, found an empty one"
            ),
            (
                #"{"input": [1], "label": 1, "uid": 18446744073709551615}"#,
                "uid: expected an integer of 64 bits or a string of at most 256 bytes, found one beyond 64 bits"
            ),
            ("[]", "expected a JSON object, found an array"),
            (#"{"updates": {}}"#, "updates: expected an array of objects, found an object"),
        ])
    func problems(body: String, cause: String) {
        #expect(problem { _ = try parseFeedback(body) } == cause)
    }

    @Test("Of a batch each piece is read by itself")
    func batches() throws {
        let body = #"{"updates": [{"input": [1], "label": 1}, 7, {"query_id": 3, "reward": 1}]}"#
        let feedback = try PredictBodyParser().parseFeedback(
            ByteBuffer(string: body), inputType: .float64, isStrict: false)
        #expect(feedback.isBatch)
        #expect(feedback.pieces.count == 3)
        #expect(throws: Never.self) { try feedback.pieces[0].get() }
        #expect(throws: PredictBodyParser.Problem.self) { try feedback.pieces[1].get() }
        guard case .query(3, .reward(1)) = try feedback.pieces[2].get().subject else {
            Issue.record("\(feedback.pieces[2])")
            return
        }
    }

    @Test("A batch has a limit as predict's has")
    func limit() {
        let cause = problem {
            _ = try PredictBodyParser(largestBatch: 2).parseFeedback(
                ByteBuffer(string: #"{"updates": [1, 2, 3]}"#), inputType: .float64, isStrict: false)
        }
        #expect(cause == "updates holds 3 pieces of feedback; the limit is 2")
    }

    @Test("A predict needs neither user nor label, and passes over what is no user where it does not matter")
    func predict() throws {
        #expect(problem(#"{"uid": "a", "label": "b", "input": [1]}"#) == nil)
        let body = ByteBuffer(string: #"{"uid": 1.5, "input": [1]}"#)
        #expect(try PredictBodyParser().parse(body, inputType: .float64).user == nil)
        #expect(throws: PredictBodyParser.Problem.self) {
            try PredictBodyParser().parse(body, inputType: .float64, readsUser: true)
        }
        #expect(try parseBody(#"{"uid": -3, "input": [1]}"#).user == "-3")
    }
}
