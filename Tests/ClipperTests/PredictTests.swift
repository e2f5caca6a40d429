import ArgumentParser
import Foundation
import Testing

@testable import clipper

@Suite("The body of a prediction")
struct PredictBodyTests {
    private func body(_ texts: [String], isString: Bool = false, version: String? = nil) -> String {
        PredictBody.make(texts.map { PredictInput(text: $0, isString: isString) }, PredictOptions(version: version))
            .text
    }

    @Test("An array goes as it is written, digit by digit")
    func sendsArrays() {
        #expect(body([" [1, 2.50,3e2] "]) == "{\"input\":[1, 2.50,3e2]}")
    }

    @Test(
        "Any other text goes as a string",
        arguments: ["What a day", "7", "{\"a\":1}", "\"quoted\"", "[1, 2", "[NaN]", ""])
    func sendsStrings(text: String) throws {
        let input = try #require(RawJSON(body([text]))?["input"])
        #expect(input.stringValue == text)
    }

    @Test("Several inputs make a batch, in their order")
    func sendsBatches() {
        #expect(body(["[1]", "two", "[]"]) == "{\"input_batch\":[[1],\"two\",[]]}")
    }

    @Test("Every input can be forced to be a string")
    func forcesStrings() {
        #expect(body(["[1]", "x"], isString: true) == "{\"input_batch\":[\"[1]\",\"x\"]}")
    }

    @Test("A version goes along as a string")
    func sendsVersion() {
        #expect(body(["[1]"], version: "2") == "{\"version\":\"2\",\"input\":[1]}")
    }

    @Test("A user goes along, a number as one, and a deadline in microseconds")
    func sendsUserAndBudget() {
        let input = PredictInput(text: "[1]")
        #expect(
            PredictBody.make([input], PredictOptions(user: "7", deadline: .milliseconds(20))).text
                == #"{"uid":7,"timeout_micros":20000,"input":[1]}"#)
        #expect(PredictBody.make([input], PredictOptions(user: "anna")).text == #"{"uid":"anna","input":[1]}"#)
    }

    @Test("Bytes go as base64")
    func sendsBytes() {
        let input = PredictInput(bytes: Data([0, 255, 16]))
        #expect(PredictBody.make([input]).text == "{\"input\":\"AP8Q\"}")
    }

    @Test("A refused text that begins like an array is pointed out")
    func advises() {
        #expect(PredictBody.advice(for: [PredictInput(text: " [1, 2")])?.hasPrefix("The input begins") == true)
        let inputs = ["[1]", "[2,]"].map { PredictInput(text: $0) }
        #expect(PredictBody.advice(for: inputs)?.hasPrefix("Input 2 begins") == true)
        #expect(PredictBody.advice(for: [PredictInput(text: "[1"), PredictInput(text: "x")]) != nil)
        #expect(PredictBody.advice(for: [PredictInput(text: "[1", isString: true)]) == nil)
        #expect(PredictBody.advice(for: [PredictInput(text: "[1]"), PredictInput(text: "x")]) == nil)
    }
}

@Suite("Feedback from the command line")
struct UpdateTests {
    private func body(_ arguments: String...) throws -> String? {
        let command = try #require(try ClipperCommand.parseAsRoot(["update", "a"] + arguments) as? UpdateCommand)
        return FeedbackPiece(subject: try command.subject(), user: command.uid, id: command.feedbackID).body.text
    }

    @Test("It is about an input with a label, or about a query with a label or a reward")
    func makesBodies() throws {
        #expect(try body("[1, 2]", "--label", "7", "--uid", "1") == #"{"uid":1,"input":[1, 2],"label":7}"#)
        #expect(try body("--query-id", "12", "--label", "-0.5") == #"{"query_id":12,"label":-0.5}"#)
        #expect(
            try body("--query-id", "12", "--reward", "0.8", "--feedback-id", "f-7")
                == #"{"feedback_id":"f-7","query_id":12,"reward":0.8}"#)
        #expect(try body("[1]", "--string", "--label", "x") == #"{"input":"[1]","label":"x"}"#)
    }

    @Test(
        "A label is a number or an array where it is written as one, else a text",
        arguments: [
            ("3", "3"), ("[1, 2]", "[1, 2]"), ("cat", "\"cat\""), ("\"7\"", "\"7\""), ("true", "\"true\""),
            ("[1", "\"[1\""), ("", "\"\""), ("{}", "\"{}\""),
        ])
    func readsLabels(text: String, json: String) {
        #expect(FeedbackPiece.label(text).text == json)
    }

    @Test(
        "What is about nothing or about two things, and what says nothing of it or two things, is refused",
        arguments: [
            ["--label", "1"], ["[1]"], ["[1]", "--query-id", "1", "--label", "1"], ["--query-id", "1"],
            ["--query-id", "1", "--label", "1", "--reward", "1"], ["[1]", "--reward", "1"],
            ["--query-id", "1", "--reward", "1.5"], ["[1]", "--file", "x", "--label", "1"],
            ["--query-id", "1", "--label", "7", "--string"], ["--file", "x", "--label", "7", "--string"],
        ])
    func refuses(arguments: [String]) {
        #expect(throws: (any Error).self) { try ClipperCommand.parseAsRoot(["update", "a"] + arguments) }
    }
}

@Suite("Where inputs come from")
struct InputSourceTests {
    private func texts(_ argument: String, _ files: [String?: String] = [:]) throws -> [String] {
        try InputSource(argument: argument).texts { path in Data((files[path] ?? "").utf8) }
    }

    @Test("An argument is an input", arguments: ["[1, 2]", "text", "@", "--", "a@b", ""])
    func takesArguments(argument: String) throws {
        #expect(try texts(argument) == [argument])
    }

    @Test("A file gives an input for each line that is not blank")
    func readsFiles() throws {
        #expect(try texts("@in.txt", ["in.txt": "[1]\r\n\n  \n[2] \n@x\n-"]) == ["[1]", "[2] ", "@x", "-"])
    }

    @Test("A dash stands for standard input")
    func readsStandardInput() throws {
        #expect(try texts("-", [nil: "a\nb\n"]) == ["a", "b"])
    }

    @Test("A file that is no text is refused, and --file is named")
    func refusesBytes() {
        let error = #expect(throws: CommandFailure.self) {
            try InputSource(argument: "@cat.png").texts { _ in Data([0x89, 0x50, 0xFF]) }
        }
        #expect(error?.cause == .usage)
        #expect(error?.message.contains("--file") == true)
    }
}

@Suite("The answer to a prediction")
struct PredictAnswerTests {
    @Test("One answer is one output")
    func readsOne() throws {
        let answer = try #require(PredictAnswer("{\"query_id\":0,\"output\":6.0,\"default\":false}"))
        #expect(answer.outputs.map(\.line) == ["6.0"])
        #expect(answer.defaultNotes.isEmpty)
    }

    @Test("A batch's outputs keep their order, and their defaults are explained")
    func readsBatches() throws {
        let answer = try #require(
            PredictAnswer(
                """
                {"batch_predictions":[{"query_id":1,"output":"a","default":false},
                {"query_id":2,"output":-1.0,"default":true,"default_explanation":"too late"}]}
                """))
        #expect(answer.outputs.map(\.line) == ["a", "-1.0"])
        #expect(answer.defaultNotes == ["default output for input 2: too late"])
    }

    @Test(
        "An output fits one line: strings as their text where they do, all else as JSON",
        arguments: [
            ("\"two words\"", "two words"), ("\"a\\nb\"", "\"a\\nb\""), ("{\n \"b\" : 1.50 }", "{\"b\":1.50}"),
            ("null", "null"),
            ("12345678901234567890", "12345678901234567890"), ("\"\"", ""),
        ])
    func showsLines(output: String, line: String) throws {
        let answer = try #require(PredictAnswer("{\"output\":\(output),\"default\":false}"))
        #expect(answer.outputs.map(\.line) == [line])
    }

    @Test(
        "Another form is no answer",
        arguments: ["", "[]", "{}", "PONG", "{\"output\":1}", "{\"batch_predictions\":[{}]}"])
    func refuses(body: String) {
        #expect(PredictAnswer(body) == nil)
    }
}
