import Foundation
import Testing

@testable import clipper

@Suite("Addresses of a frontend")
struct FrontendAddressTests {
    @Test(
        "A URL is taken, with or without its scheme",
        arguments: [
            ("http://127.0.0.1:1338", "http://127.0.0.1:1338"), ("localhost:1338", "http://localhost:1338"),
            ("http://models.example/clipper/", "http://models.example/clipper"),
            ("http://[::1]:1338", "http://[::1]:1338"),
        ])
    func takes(text: String, address: String) throws {
        #expect(try FrontendAddress(text).description == address)
    }

    @Test(
        "What is no address of HTTP is refused",
        arguments: [
            "", "http://", "https://a", "ftp://a", "http://a?b", "http://a b", "tcp://a:1", "http://u:p@a:1",
            "http://u@a", "http://a:0", "http://a:65536",
        ])
    func refuses(text: String) {
        #expect(throws: ArgumentTextError.self) { try FrontendAddress(text) }
    }

    @Test("Names become one segment of the path, whatever they hold")
    func encodesPaths() throws {
        let url = try FrontendAddress("http://a:1/base").url(path: ["ein/Wort? 数%#", "predict"])
        #expect(url?.absoluteString == "http://a:1/base/ein%2FWort%3F%20%E6%95%B0%25%23/predict")
    }

    @Test("The option goes before the environment, and that before the default")
    func resolves() throws {
        let environment = ["CLIPPER_ADMIN": "http://env:1", "CLIPPER_QUERY": ""]
        let given = try FrontendAddress("http://given:1")
        #expect(
            try FrontendAddress.resolve(given, face: .administration, environment: environment) == given)
        #expect(
            try FrontendAddress.resolve(nil, face: .administration, environment: environment).description
                == "http://env:1")
        #expect(
            try FrontendAddress.resolve(nil, face: .query, environment: environment).description
                == "http://127.0.0.1:1337")
    }

    @Test("An environment variable that is no address is named")
    func refusesEnvironment() {
        let error = #expect(throws: CommandFailure.self) {
            try FrontendAddress.resolve(nil, face: .query, environment: ["CLIPPER_QUERY": "ftp://a"])
        }
        #expect(error?.cause == .usage)
        #expect(error?.message.contains("CLIPPER_QUERY") == true)
    }

    @Test("A Host header has an IPv6 address in brackets")
    func hostHeader() {
        #expect(FrontendAddress.hostHeader("::1", 1337) == "[::1]:1337")
        #expect(FrontendAddress.hostHeader("localhost", 80) == "localhost:80")
    }
}
