import ArgumentParser
import ContainerRPC
import Logging
import TestSupport
import Testing

@testable import ModelContainer

@Suite("A container's options")
struct ContainerOptionsTests {
    private let container = ModelContainer(name: "code", version: "code1") { (input: [Double]) in input.count }

    private func details(_ flags: [String], of container: ModelContainer) throws -> RegistrationDetails {
        try ContainerConfiguration(of: container, options: try ContainerOptions.parse(flags), environment: [:])
            .registration.details
    }

    @Test("A program that parsed no flags needs none")
    func noFlags() throws {
        let configuration = try ContainerConfiguration(of: container, environment: [:])
        let parsed = try ContainerConfiguration(of: container, options: try .parse([]), environment: [:])
        #expect(configuration == parsed)
    }

    @Test("Options may be set in code instead of by flags; what they leave out is looked up elsewhere")
    func inCode() throws {
        let options = ContainerOptions(modelVersion: "option1", frontend: "inproc://query-frontend")
        let configuration = try ContainerConfiguration(
            of: container, options: options, environment: ["CLIPPER_MODEL_NAME": "env"])
        #expect("\(configuration.registration)" == "env:option1 (doubles)")
        #expect(configuration.endpoint == "inproc://query-frontend")
    }

    @Test("They can be made without any, read, and changed")
    func changed() throws {
        var options = ContainerOptions()
        #expect(options.name == nil && options.frontend == nil && options.rpc == 4 && options.logLevel == .info)
        options.frontend = "tcp://10.0.0.1:7000"
        options.name = "option"
        let configuration = try ContainerConfiguration(of: container, options: options, environment: [:])
        #expect("\(configuration.registration)" == "option:code1 (doubles)")
        #expect(configuration.endpoint == "tcp://10.0.0.1:7000")
    }

    @Test("Those that were parsed can be read and changed, also in a command that includes them")
    func parsed() throws {
        struct Command: ParsableCommand {
            @Option var own = 1
            @OptionGroup var options: ContainerOptions
        }
        let flags = [
            "--name", "n", "--version", "v", "--input-type", "doubles", "--host", "h", "--port", "1",
            "--largest-batch", "2", "--batches-in-flight", "3", "--metadata", "a=b", "--rpc", "3", "--log-level",
            "debug",
        ]
        var options = try #require(try Command.parseAsRoot(["--own", "2"] + flags) as? Command).options
        #expect([options.name, options.modelVersion, options.inputType, options.host] == ["n", "v", "doubles", "h"])
        #expect(options.port == 1 && options.largestBatch == 2 && options.batchesInFlight == 3)
        #expect(options.metadata == ["a": "b"] && options.rpc == 3 && options.logLevel == .debug)
        options.host = "i"
        #expect(options.host == "i")
    }

    @Test("What the container takes at most comes from the code, or from a flag, which beats it")
    func limits() throws {
        let limited = container.limited(largestBatch: 64, batchesInFlight: 1)
        #expect(try details([], of: limited).largestBatch == 64)
        let details = try details(["--largest-batch", "8"], of: limited)
        #expect(details.largestBatch == 8)
        #expect(details.batchesInFlight == 1)
        #expect(try self.details(["--batches-in-flight", "3"], of: limited).batchesInFlight == 3)
    }

    @Test("A bound that is given by itself leaves the other one")
    func limitsOneByOne() throws {
        let limited = container.limited(largestBatch: 64).limited(batchesInFlight: 1)
        let details = try details([], of: limited)
        #expect((details.largestBatch, details.batchesInFlight) == (64, 1))
        #expect(try self.details([], of: limited.limited(largestBatch: 8)).largestBatch == 8)
    }

    @Test("A bound that cannot be is an error, in code as well", arguments: [-5, 0, 1 << 32])
    func wrongLimits(limit: Int) {
        let batch = ContainerError.invalid(
            what: "the largest batch", value: "\(limit)", expected: "1 to 4294967295 inputs")
        let batches = ContainerError.invalid(
            what: "the number of batches in flight", value: "\(limit)", expected: "1 to 4294967295 batches")
        let endpoint = "tcp://127.0.0.1:7000"
        #expect(throws: batch) {
            try ContainerConfiguration(of: container.limited(largestBatch: limit), environment: [:])
        }
        #expect(throws: batch) {
            try container.limited(largestBatch: limit).service(endpoint: endpoint, logger: .silent)
        }
        #expect(throws: batches) {
            try container.limited(batchesInFlight: limit).service(endpoint: endpoint, logger: .silent)
        }
    }

    @Test(
        "One in options is an error that names the flag, whether a parser has seen it or not",
        arguments: [-1, 0, 1 << 32])
    func wrongLimitsInOptions(limit: Int) {
        let batch = ContainerError.invalid(
            what: "the largest batch (--largest-batch)", value: "\(limit)", expected: "1 to 4294967295 inputs")
        let batches = ContainerError.invalid(
            what: "the number of batches in flight (--batches-in-flight)", value: "\(limit)",
            expected: "1 to 4294967295 batches")
        #expect(throws: batch) {
            let options = ContainerOptions(largestBatch: limit)
            return try ContainerConfiguration(of: container, options: options, environment: [:])
        }
        #expect(throws: batches) {
            let options = ContainerOptions(batchesInFlight: limit)
            return try ContainerConfiguration(of: container, options: options, environment: [:])
        }
        #expect(throws: batch) {
            let options = try ContainerOptions.parse(["--largest-batch=\(limit)", "--log-format=json"])
            return try ContainerConfiguration(of: container, options: options, environment: [:])
        }
        #expect(throws: batches) {
            let options = try ContainerOptions.parse(["--batches-in-flight=\(limit)", "--log-format=json"])
            return try ContainerConfiguration(of: container, options: options, environment: [:])
        }
        #expect(throws: (any Error).self) { try ContainerOptions.parse(["--largest-batch=\(limit)"]) }
        #expect(throws: (any Error).self) { try ContainerOptions.parse(["--batches-in-flight=\(limit)"]) }
    }

    @Test("So is a version of the protocol that there is none of", arguments: [0, 2, 5, 7] as [UInt32])
    func wrongVersion(rpc: UInt32) {
        let expected = ContainerError.invalid(
            what: "the protocol's version (--rpc)", value: "\(rpc)", expected: "3 or 4")
        let options = ContainerOptions(rpc: rpc)
        #expect(throws: expected) { try ContainerConfiguration(of: container, options: options, environment: [:]) }
    }

    @Test("Metadata comes from the code and, behind it, from flags")
    func metadata() throws {
        let described = container.described(by: ["framework": "none"])
        let details = try details(["--metadata", "zone=b=c", "--metadata", "a=", "--metadata", "a=d"], of: described)
        #expect(
            details.metadata.suffix(3) == [
                MetadataPair("framework", "none"), MetadataPair("a", "d"), MetadataPair("zone", "b=c"),
            ])
    }

    @Test("Described in two steps, it says both")
    func describedTwice() throws {
        let described = container.described(by: ["framework": "none"]).described(by: ["zone": "b", "zone": "c"])
        #expect(
            try details([], of: described).metadata.suffix(3) == [
                MetadataPair("framework", "none"), MetadataPair("zone", "b"), MetadataPair("zone", "c"),
            ])
    }

    @Test("Metadata without a key or a value is refused", arguments: ["a", "=b", ""])
    func wrongMetadata(pair: String) {
        #expect(throws: (any Error).self) { try ContainerOptions.parse(["--metadata", pair]) }
    }
}
