import Testing

@testable import clipper

@Suite("What an answer is")
struct BenchAnswerTests {
    private func answer(_ body: String, status: Int = 200, acceptsAny: Bool = false) -> BenchAnswer {
        BenchAnswer(status: status, body: Array(body.utf8)[...], acceptsAny: acceptsAny)
    }

    @Test(
        "An output is a prediction, whatever it holds",
        arguments: [
            #"{"query_id":1,"output":6.5,"default":false}"#,
            #"{"query_id": 1, "output": 6.5, "default": false}"#,
            #"{"query_id":1,"output":{"default":true},"default":false}"#,
            #"{"query_id":1,"output":"\"default\":true,\"default_explanation\":\"x\"}","default":false}"#,
            #"{"default":false,"output":",\"default\":true"}"#,
        ])
    func isPrediction(body: String) {
        #expect(answer(body) == .prediction)
    }

    @Test(
        "A default output is told by its reason",
        arguments: [
            #"{"query_id":1,"output":-1.0,"default":true,"default_explanation":"too late"}"#,
            #"{"query_id": 1, "output": -1.0, "default": true, "default_explanation": "too late"}"#,
            #"{"query_id":1,"output":",\"default\":false}","default":true,"default_explanation":"too late"}"#,
            #"{"query_id":1,"output":{"default":false},"default_explanation":"too late","default":true}"#,
        ])
    func isDefault(body: String) {
        #expect(answer(body) == .defaultOutput(reason: "too late"))
    }

    @Test("A reason with escapes is read as JSON has it; without any it says so")
    func readsReasons() {
        let escaped = #"{"query_id":1,"output":0,"default":true,"default_explanation":"a \"b\""}"#
        #expect(answer(escaped) == .defaultOutput(reason: "a \"b\""))
        #expect(answer(#"{"output":0,"default":true}"#) == .defaultOutput(reason: "no explanation"))
    }

    @Test("A 503 is a rejection, another status an error with the server's words")
    func tellsStatuses() {
        #expect(answer("{}", status: 503) == .rejected)
        #expect(
            answer(#"{"error":"Bad input","cause":"no array"}"#, status: 400) == .error("HTTP 400: Bad input: no array")
        )
        #expect(answer("not\n found", status: 404) == .error("HTTP 404: not found"))
        #expect(answer("", status: 500) == .error("HTTP 500"))
        #expect(answer(#"{"output":1,"default":false}"#, status: 500) != .prediction)
    }

    @Test(
        "A 200 that is no prediction is an error, unless any will do",
        arguments: ["", "{}", "[1]", "{\"output\":1", "hello"])
    func tellsErrors(body: String) {
        #expect(answer(body) == .error("the answer is no prediction"))
        #expect(answer(body, acceptsAny: true) == .prediction)
    }

    @Test("Where any will do, a 503 is a rejection all the same")
    func keepsRejections() {
        #expect(answer("", status: 503, acceptsAny: true) == .rejected)
        #expect(answer("", status: 404, acceptsAny: true) == .error("HTTP 404"))
    }
}
