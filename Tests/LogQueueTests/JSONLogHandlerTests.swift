import Foundation
import Logging
import Testing

@testable import LogQueue

@Suite("Lines of the log as JSON")
struct JSONLogHandlerTests {
    private func line(_ handler: JSONLogHandler, _ message: String, _ metadata: Logger.Metadata? = nil) -> String {
        let event = LogEvent(
            level: .notice, message: "\(message)", metadata: metadata, source: "Tests", file: #fileID,
            function: #function, line: #line)
        return String(decoding: handler.line(event, seconds: 784_111_777, nanoseconds: 250_999), as: UTF8.self)
    }

    @Test("One object a line: time, level, logger and message")
    func plain() {
        #expect(
            line(JSONLogHandler(label: "clipper"), "serving") == """
                {"level":"notice","logger":"clipper","message":"serving","time":"1994-11-06T08:49:37.000250Z"}

                """)
    }

    @Test("Text that is not plain stays one line")
    func escaped() {
        #expect(
            line(JSONLogHandler(label: "a"), "a \"b\"\n/c").hasPrefix(
                #"{"level":"notice","logger":"a","message":"a \"b\"\n/c","time""#))
    }

    @Test("Metadata is an object, with objects and lists in it")
    func metadata() {
        let line = line(
            JSONLogHandler(label: "a"), "b",
            ["model": "sum:1", "all": ["x", "y"], "of": ["one": "1"], "count": .stringConvertible(3)])
        #expect(line.contains(#""metadata":{"all":["x","y"],"count":"3","model":"sum:1","of":{"one":"1"}}"#))
    }

    @Test("What a line says of a key beats the logger's own metadata")
    func precedence() {
        var handler = JSONLogHandler(label: "a")
        handler[metadataKey: "of"] = "logger"
        handler[metadataKey: "own"] = "1"
        #expect(line(handler, "b", ["of": "line"]).contains(#""metadata":{"of":"line","own":"1"}"#))
    }
}
