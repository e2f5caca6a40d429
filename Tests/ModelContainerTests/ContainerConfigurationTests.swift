import ArgumentParser
import ContainerRPC
import Logging
import TestSupport
import Testing

@testable import ModelContainer

@Suite("A container's configuration")
struct ContainerConfigurationTests {
    private let nameless = ModelContainer { (input: [Double]) in input.count }
    private let named = ModelContainer(name: "code", version: "code1") { (input: [Double]) in input.count }
    /// All of Clipper's variables.
    private let environment = [
        "CLIPPER_MODEL_NAME": "env", "CLIPPER_MODEL_VERSION": "env1", "CLIPPER_IP": "10.0.0.1",
        "CLIPPER_PORT": "7100", "CLIPPER_INPUT_TYPE": "doubles",
    ]

    private func configuration(
        of container: ModelContainer, _ flags: [String] = [], _ environment: [String: String] = [:]
    ) throws -> ContainerConfiguration {
        try ContainerConfiguration(of: container, options: try ContainerOptions.parse(flags), environment: environment)
    }

    /// What is said of settings that cannot be; `nil` for good ones.
    private func problem(
        of container: ModelContainer, _ flags: [String] = [], _ environment: [String: String] = [:]
    ) -> String? {
        do {
            _ = try configuration(of: container, flags, environment)
            return nil
        } catch {
            return (error as? ContainerError)?.description ?? "another error: \(error)"
        }
    }

    @Test("Code alone is enough: the frontend is then the default one")
    func code() throws {
        let configuration = try configuration(of: named)
        #expect("\(configuration.registration)" == "code:code1 (doubles)")
        #expect(configuration.endpoint == "tcp://127.0.0.1:7000")
        #expect(configuration.timing == .standard)
    }

    @Test("A container that is a service of a larger program needs its name and version in code")
    func service() throws {
        let context = try Context()
        _ = try named.service(endpoint: "inproc://query-frontend", context: context, logger: .silent)
        #expect(throws: ContainerError.self) {
            try nameless.service(endpoint: "inproc://query-frontend", context: context, logger: .silent)
        }
    }

    @Test("Clipper's environment variables alone are enough")
    func environmentAlone() throws {
        let configuration = try configuration(of: nameless, [], environment)
        #expect("\(configuration.registration)" == "env:env1 (doubles)")
        #expect(configuration.endpoint == "tcp://10.0.0.1:7100")
    }

    @Test("The environment beats the code")
    func environmentBeatsCode() throws {
        let registration = try configuration(of: named, [], environment).registration
        #expect("\(registration)" == "env:env1 (doubles)")
    }

    @Test("Flags beat the environment")
    func flagsBeatEnvironment() throws {
        let flags = ["--name", "flag", "--version", "flag1", "--host", "10.0.0.2", "--port", "7200"]
        let configuration = try configuration(of: named, flags, environment)
        #expect("\(configuration.registration)" == "flag:flag1 (doubles)")
        #expect(configuration.endpoint == "tcp://10.0.0.2:7200")
    }

    @Test("Each setting is looked up by itself")
    func mixes() throws {
        let configuration = try configuration(
            of: named, ["--port", "7200"], ["CLIPPER_MODEL_VERSION": "env1", "CLIPPER_IP": "10.0.0.1"])
        #expect("\(configuration.registration)" == "code:env1 (doubles)")
        #expect(configuration.endpoint == "tcp://10.0.0.1:7200")
    }

    @Test("It offers RPC 4, beats while it is busy, and says its language, SDK, host and process")
    func details() throws {
        let registration = try configuration(of: named, [], [:]).registration
        #expect(registration.rpcVersion == .four)
        #expect(registration.details.beatsWhileBusy)
        #expect(registration.details.metadata.map(\.key) == ["language", "sdk", "host", "pid"])
        #expect(registration.details.largestBatch == nil)
    }

    @Test("What it is described by counts more than what it says of itself, and a flag more than the code")
    func metadataOrder() throws {
        let described = named.described(by: ["host": "code", "pid": "7"])
        let pairs = try configuration(of: described, ["--metadata", "host=flag"], [:]).registration.details.metadata
        // The last one of a key is the one that counts.
        let metadata = Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        #expect(metadata["host"] == "flag")
        #expect(metadata["pid"] == "7")
        #expect(metadata["language"] == "swift")
    }

    @Test("Its software is said with name and version")
    func software() throws {
        let details = try configuration(of: named, [], [:]).registration.details
        #expect(details.software == "swift-clipper/\(Software.version)")
        #expect(details.metadata.contains(MetadataPair("sdk", "swift-clipper/\(Software.version)")))
    }

    @Test("It can be held to RPC 3; another version cannot be")
    func versions() throws {
        #expect(try configuration(of: named, ["--rpc", "3"], [:]).registration.rpcVersion == .three)
        #expect(throws: (any Error).self) { try configuration(of: named, ["--rpc", "5"], [:]) }
    }

    @Test("A variable that is empty counts as not set")
    func emptyVariables() throws {
        let configuration = try configuration(of: named, [], environment.mapValues { _ in "" })
        #expect(configuration == (try self.configuration(of: named)))
    }

    @Test("A missing name says where to give it")
    func missingName() {
        #expect(
            problem(of: nameless)
                == """
                the model's name is missing: give it in code, with --name, or in the environment variable \
                CLIPPER_MODEL_NAME
                """)
    }

    @Test("A missing version says where to give it")
    func missingVersion() {
        #expect(
            problem(of: nameless, ["--name", "a"])
                == """
                the model's version is missing: give it in code, with --version, or in the environment variable \
                CLIPPER_MODEL_VERSION
                """)
    }

    @Test(
        "A name or version that the protocol does not know is refused",
        arguments: ["", "a,b", "a:b", "a\nb", "a\0", String(repeating: "x", count: 257)])
    func invalidNames(name: String) {
        let expected = "1 to 256 bytes without ',', ':' and control characters"
        #expect(
            problem(of: named, ["--name", name]) == "the model's name (--name) is '\(name)'; expected \(expected)")
        #expect(
            problem(of: named, ["--version", name])
                == "the model's version (--version) is '\(name)'; expected \(expected)")
        let inCode = ModelContainer(name: name, version: "1") { (input: [Double]) in input.count }
        #expect(problem(of: inCode) == "the model's name is '\(name)'; expected \(expected)")
    }

    @Test("The longest name is one of 256 bytes")
    func longestName() {
        #expect(problem(of: named, ["--name", String(repeating: "x", count: 256)]) == nil)
        #expect(problem(of: named, ["--name", String(repeating: "ü", count: 129)]) != nil)
    }

    @Test("The input type may be stated under any of its names", arguments: ["doubles", "DOUBLE", "d"])
    func statesInputType(name: String) {
        #expect(problem(of: named, ["--input-type", name]) == nil)
        #expect(problem(of: named, [], ["CLIPPER_INPUT_TYPE": name]) == nil)
    }

    @Test("An input type that the closure does not take is a contradiction")
    func contradictsInputType() {
        let expected = "states the input type as integers, but the model's closure takes doubles"
        #expect(problem(of: named, ["--input-type", "ints"]) == "--input-type \(expected)")
        #expect(problem(of: named, [], ["CLIPPER_INPUT_TYPE": "integers"]) == "CLIPPER_INPUT_TYPE \(expected)")
        #expect(problem(of: named, ["--input-type", "doubles"], ["CLIPPER_INPUT_TYPE": "integers"]) == nil)
    }

    @Test("An input type that there is none of is refused, with those that there are")
    func unknownInputType() {
        #expect(
            problem(of: named, ["--input-type", "tensor"])
                == "the input type (--input-type) is 'tensor'; expected one of bytes, integers, floats, doubles, strings"
        )
    }
}
