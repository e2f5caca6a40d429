import ContainerRPC
import Foundation
import Logging
import ModelContainer
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import QueryFrontend

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Blocks with its first line until the gate is opened, as standard error does when nobody reads it.
private struct BlockedHandler: LogHandler {
    let gate = Gate()
    var logLevel = Logger.Level.trace
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { gate.wait() }
}

/// A frontend in this process, with containers in this process.
private struct Embedded: Sendable {
    let frontend: QueryFrontend

    /// Starts a frontend that serves the containers, runs the test, and stops all.
    ///
    /// - Parameter containers: by name; each is registered, linked to an application of that name, and connected.
    static func run(
        _ containers: [String: ModelContainer] = [:], slo: Duration = .seconds(600), defaultOutput: String = "none",
        logger: Logger = .silent,
        _ test: @escaping @Sendable (Embedded) async throws -> Void
    ) async throws {
        let frontend = try await QueryFrontend.start(
            FrontendConfiguration(queryPort: 0, adminPort: 0, rpcPort: 0, store: ":memory:", threads: 1),
            logger: logger)
        var services: [any Service] = [frontend]
        for (name, container) in containers { services.append(frontend.service(name, container)) }
        let group = ServiceGroup(services: services, logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do {
                for (name, container) in containers {
                    try await frontend.register(name, container.inputType, slo: slo, defaultOutput: defaultOutput)
                    // Until the container is there, the application answers with its default output.
                    let isServed = await frontend.waitUntilServed(name, within: .seconds(60))
                    try #require(isServed, "no container of \(name) is connected")
                }
                result = .success(try await test(Embedded(frontend: frontend)))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    func predict(_ application: String, _ elements: InputValues.Elements, rows: Int...) async throws -> [Prediction] {
        try await frontend.predict(application, InputValues(elements: elements, rowEnds: rows))
    }
}

extension QueryFrontend {
    fileprivate func service(_ name: String, _ container: ModelContainer) -> ContainerService {
        ContainerService(
            container,
            configuration: ContainerConfiguration(
                registration: Registration(modelName: name, modelVersion: "1", inputType: container.inputType),
                endpoint: addresses.inProcess),
            context: context, logger: .silent)
    }

    fileprivate func register(
        _ name: String, _ inputType: InputType, slo: Duration, defaultOutput: String
    ) async throws {
        try await catalog.perform(.registerModel(makeModel(name, inputType: inputType)))
        try await catalog.perform(
            .registerApplication(
                Application(name: name, inputType: inputType, defaultOutput: defaultOutput, latencySLO: slo)))
        try await catalog.perform(.linkModels(application: name, models: [name]))
    }
}

@Suite("A frontend that a program embeds")
struct EmbeddedFrontendTests {
    /// Counts the elements of each input once the gate is open.
    private static func counting(behind gate: Gate) -> ModelContainer {
        ModelContainer { (input: [Double]) in
            gate.wait()
            return input.count
        }
    }

    @Test("Whoever waits for containers is told when none comes, and of an application that is not there")
    func waitsForContainers() async throws {
        try await Embedded.run { test in
            try await test.frontend.register("sum", .float64, slo: .seconds(1), defaultOutput: "none")
            for name in ["sum", "other"] {
                let isServed = await test.frontend.waitUntilServed(name, within: .milliseconds(1))
                #expect(!isServed)
            }
        }
    }

    @Test("Settings that cannot be are an error that names them")
    func settings() async throws {
        for (configuration, problem) in [
            (FrontendConfiguration(queryPort: 70_000), "queryPort is 70000; expected 0 to 65535"),
            (FrontendConfiguration(threads: 0), "threads is 0; expected at least 1"),
            (FrontendConfiguration(batchesInFlight: 0), "batchesInFlight is 0; expected at least 1"),
            (FrontendConfiguration(cacheBytes: -1), "cacheBytes is -1; expected at least 0"),
            (
                FrontendConfiguration(queryPort: 0, adminPort: 7000),
                "adminPort and rpcPort are both 7000; expected three that differ, or 0"
            ),
            (
                FrontendConfiguration(stopDelay: .seconds(-1)),
                "stopDelay is -1.0 seconds; expected at least 0.0 seconds"
            ),
            (FrontendConfiguration(threads: 2000), "threads is 2000; expected at most 1024"),
            (
                FrontendConfiguration(limits: HTTPLimits(largestBody: 11, bodies: 10)),
                "limits.bodies is 10; expected at least limits.largestBody, 11"
            ),
        ] {
            let error = await #expect(throws: FrontendError.self) {
                _ = try await QueryFrontend.start(configuration, logger: .silent)
            }
            #expect(error?.description == problem)
        }
    }

    @Test("It tells the ports that the system picked")
    func addresses() async throws {
        try await Embedded.run { test in
            let addresses = test.frontend.addresses
            let ports = [addresses.query, addresses.admin, addresses.rpc]
            for address in ports {
                #expect(address.wholeMatch(of: /(http|tcp):\/\/127\.0\.0\.1:[1-9][0-9]*/) != nil)
            }
            #expect(Set(ports.map { $0.split(separator: ":").last }).count == 3)
        }
    }

    @Test("Closures in the same process answer, each input with its own output, for every input type")
    func predicts() async throws {
        let containers = [
            "doubles": ModelContainer { (input: [Double]) in input.reduce(0, +) },
            "floats": ModelContainer { (input: [Float]) in input.count },
            "integers": ModelContainer { (batch: InputBatch<Int32>) in batch.map { $0.reduce(0, +) } },
            "bytes": ModelContainer { (input: [UInt8]) async in input.map { String($0) }.joined(separator: " ") },
            "strings": ModelContainer { (batch: [String]) in batch.map { $0.uppercased() } },
        ]
        try await Embedded.run(containers) { test in
            let doubles = try await test.predict("doubles", .float64([1, 2, 3.5, 10]), rows: 3, 4)
            #expect(doubles.map(\.output) == ["6.5", "10.0"])
            #expect(doubles.allSatisfy { !$0.isDefault })
            #expect(try await test.predict("floats", .float32([1, 2]), rows: 0, 2).map(\.output) == ["0", "2"])
            #expect(try await test.predict("integers", .int32([1, -2, 3]), rows: 3).map(\.output) == ["2"])
            #expect(try await test.predict("bytes", .bytes([0, 255]), rows: 1, 2).map(\.output) == ["0", "255"])
            #expect(
                try await test.predict("strings", .string(Array("grünab".utf8)), rows: 5, 7).map(\.output)
                    == ["GRÜN", "AB"])
        }
    }

    @Test("When its task is cancelled it answers what is in flight before it ends")
    func cancelled() async throws {
        let isOpen = Gate()
        let container = Self.counting(behind: isOpen)
        let frontend = try await QueryFrontend.start(
            FrontendConfiguration(queryPort: 0, adminPort: 0, rpcPort: 0, store: ":memory:", threads: 1),
            logger: .silent)
        let serving = Task { try await frontend.run() }
        let computing = Task { try await frontend.service("count", container).run() }
        try await frontend.register("count", .float64, slo: .seconds(600), defaultOutput: "none")
        #expect(await frontend.waitUntilServed("count", within: .seconds(60)))
        let url = try #require(URL(string: frontend.addresses.query))
        var request = URLRequest(url: url.appending(path: "count/predict"))
        request.httpMethod = "POST"
        request.httpBody = Data(#"{"input":[1,2,3]}"#.utf8)
        async let answer = URLSession.shared.data(for: request)
        try await eventually("the query is in flight") { await frontend.status().replicas[0].queriesInFlight == 1 }
        serving.cancel()
        try await eventually("no connection is taken any more") {
            (try? await URLSession.shared.data(from: url.appending(path: "health/live"))) == nil
        }
        isOpen.open()
        #expect(String(decoding: try await answer.0, as: UTF8.self).contains(#""output":3,"default":false"#))
        try await serving.value
        computing.cancel()
        _ = await computing.result
    }

    @Test("Many callers at once get their own answers, and their inputs share batches")
    func manyCallers() async throws {
        let isOpen = Gate()
        let container = ModelContainer { (batch: InputBatch<Double>) in
            isOpen.wait()
            return batch.map { $0.first ?? -1 }
        }
        try await Embedded.run(["a": container]) { test in
            try await withThrowingTaskGroup(of: (Double, String?).self) { callers in
                for number in 0..<200 {
                    callers.addTask {
                        let prediction = try await test.predict("a", .float64([Double(number)]), rows: 1).first
                        return (Double(number), prediction?.output)
                    }
                }
                // The first batches hold what came first; the others gather meanwhile.
                try await eventually("the queries wait") {
                    let status = await test.frontend.status()
                    return (status.models.first?.queued ?? 0) + (status.replicas.first?.queriesInFlight ?? 0) == 200
                }
                isOpen.open()
                for try await (number, output) in callers { #expect(output == "\(number)") }
            }
            let model = try #require(await test.frontend.status().models.first)
            // How many are in a batch depends on which callers came first; that they share one does not.
            #expect((2...200).contains(model.largestBatch))
        }
    }

    @Test("A policy chooses, tells its models, and learns from feedback for each user")
    func policy() async throws {
        let first = ModelContainer(name: "a", version: "1") { (input: [Double]) in "a" }
        let second = ModelContainer(name: "b", version: "1") { (input: [Double]) in "b" }
        try await Embedded.run(["a": first, "b": second]) { test in
            try await test.frontend.catalog.perform(
                .registerApplication(
                    Application(
                        name: "both", inputType: .float64, defaultOutput: "-1", latencySLO: .seconds(600),
                        selection: SelectionSettings(policy: PolicyDescription("exp4")))))
            try await test.frontend.catalog.perform(.linkModels(application: "both", models: ["a", "b"]))
            let input = InputValues(elements: .float64([1]), rowEnds: [1])
            for number in 0..<40 {
                let feedback = Feedback(.input(input, .text("b")), user: "ida", id: "\(number)")
                #expect(try await test.frontend.update("both", feedback))
            }
            let again = Feedback(.input(input, .text("a")), user: "ida", id: "0")
            #expect(try await test.frontend.update("both", again) == false)
            let prediction = try #require(try await test.frontend.predict("both", input, user: "ida").first)
            #expect(prediction.output == "b")
            #expect(prediction.models == ["a:1", "b:1"])
            #expect(try #require(prediction.confidence) > 0.5)
            #expect(try await test.frontend.update("both", Feedback(.query(prediction.queryID, .text("b")))))
            await #expect(throws: FeedbackError.unknownQuery) {
                try await test.frontend.update("both", Feedback(.reward(prediction.queryID + 1, 1)))
            }
            await #expect(throws: FeedbackError.rewardOutOfRange(2)) {
                try await test.frontend.update("both", Feedback(.reward(prediction.queryID, 2)))
            }
            await #expect(throws: FeedbackError.notLearning) {
                try await test.frontend.update("a", Feedback(.input(input, .number(1))))
            }
        }
    }

    @Test("Without a container the output is the default one, with the reason")
    func noContainer() async throws {
        try await Embedded.run { test in
            try await test.frontend.register("a", .float64, slo: .seconds(600), defaultOutput: "-1")
            let predictions = try await test.predict("a", .float64([1, 2]), rows: 1, 2)
            let expected = (0..<2).map { id in
                Prediction(
                    output: "-1", defaultExplanation: "No connected models found for query", queryID: UInt64(id))
            }
            #expect(predictions == expected)
        }
    }

    @Test("A model that is too slow costs its callers their time and no more")
    func slowModel() async throws {
        let isOpen = Gate()
        let container = Self.counting(behind: isOpen)
        try await Embedded.run(["slow": container], slo: .milliseconds(50), defaultOutput: "late") { test in
            let prediction = try #require(try await test.predict("slow", .float64([1]), rows: 1).first)
            isOpen.open()
            #expect(prediction.output == "late")
            #expect(prediction.defaultExplanation == DefaultReason.deadline.explanation)
        }
    }

    @Test("A closure that throws costs the batch's queries their answer, after a second try, and nobody else anything")
    func throwingModel() async throws {
        struct Broken: Error {}
        let tries = Atomic<Int>(0)
        let container = ModelContainer { (input: [Double]) in
            if input == [13] {
                tries.add(1, ordering: .relaxed)
                throw Broken()
            }
            return input.count
        }
        try await Embedded.run(["fragile": container]) { test in
            let prediction = try #require(try await test.predict("fragile", .float64([13]), rows: 1).first)
            #expect(prediction.defaultExplanation == DefaultReason.lostTwice.explanation)
            #expect(tries.load(ordering: .relaxed) == 2)
            try await eventually("the container is back") {
                try await test.predict("fragile", .float64([1, 2]), rows: 2).first?.output == "2"
            }
        }
    }

    @Test("No inputs have no predictions")
    func noInputs() async throws {
        try await Embedded.run(["a": ModelContainer { (input: [Double]) in input.count }]) { test in
            let predictions = try await test.predict("a", .float64([]))
            #expect(predictions.isEmpty)
        }
    }

    @Test("Nobody who asks waits for the one who reads the log")
    func blockedLog() async throws {
        let handler = BlockedHandler()
        defer { handler.gate.open() }
        var logger = Logger(label: "test") { _ in handler }
        logger.logLevel = .trace
        let container = ModelContainer { (input: [Double]) in input.count }
        // The container that comes is a line of the log, and so are the changes of the catalog.
        try await Embedded.run(["a": container], logger: logger) { test in
            let answers = try await test.predict("a", .float64([1]), rows: 1)
            #expect(answers.map(\.output) == ["1"])
            let status = await test.frontend.status()
            #expect(status.replicas.count == 1)
            handler.gate.open()
        }
    }

    @Test("An application that nobody registered is an error")
    func unknownApplication() async throws {
        try await Embedded.run { test in
            let error = await #expect(throws: QueryError.self) { try await test.predict("a", .float64([1]), rows: 1) }
            #expect(error == .unknownApplication("a"))
            #expect(error?.description == "no application with name 'a' is registered")
        }
    }

    @Test(
        "Inputs that contradict themselves are an error, and reach no container",
        arguments: [
            (InputValues(elements: .string([0xFF]), rowEnds: [1]), "input 0 is a string that is no UTF-8"),
            (InputValues(elements: .string(Array("é".utf8)), rowEnds: [1, 2]), "input 0 is a string that is no UTF-8"),
            (InputValues(elements: .string([0x41]), rowEnds: [2]), "input 0 ends at element 2; expected 0 to 1"),
            (InputValues(elements: .string([0x41]), rowEnds: [1, 0]), "input 1 ends at element 0; expected 1 to 1"),
            (InputValues(elements: .string([0x41]), rowEnds: []), "1 elements are in no input"),
        ])
    func malformedInputs(inputs: InputValues, problem: String) async throws {
        try await Embedded.run(["a": ModelContainer { (input: String) in input.count }]) { test in
            let error = await #expect(throws: QueryError.self) { try await test.frontend.predict("a", inputs) }
            #expect(error == .malformedInputs(problem))
            let answer = try await test.frontend.predict("a", .strings(["four"]))
            #expect(answer.map(\.output) == ["4"])
        }
    }

    @Test("Inputs of another type than the application's are an error")
    func wrongInputType() async throws {
        try await Embedded.run(["a": ModelContainer { (input: [Double]) in input.count }]) { test in
            let error = await #expect(throws: QueryError.self) { try await test.predict("a", .int32([1]), rows: 1) }
            #expect(error == .wrongInputType(expected: "doubles", found: "integers"))
            #expect(error?.description == "the application takes doubles, the inputs are integers")
        }
    }

    @Test("A deleted application answers no more")
    func deletesApplication() async throws {
        try await Embedded.run(["a": ModelContainer { (input: [Double]) in input.count }]) { test in
            try await test.frontend.catalog.perform(.deleteApplication(name: "a"))
            await #expect(throws: QueryError.unknownApplication("a")) {
                try await test.predict("a", .float64([1]), rows: 1)
            }
        }
    }

    @Test("Nothing that a deleted model has answered is kept for one that is registered in its place")
    func deletedModelIsForgotten() async throws {
        let calls = Atomic(0)
        let container = ModelContainer { (_: [Double]) in calls.wrappingAdd(1, ordering: .relaxed).newValue }
        try await Embedded.run(["calls": container]) { test in
            #expect(try await test.predict("calls", .float64([1]), rows: 1).map(\.output) == ["1"])
            #expect(try await test.predict("calls", .float64([1]), rows: 1).map(\.output) == ["1"])
            let version = ModelVersion(name: "calls", version: "1")
            try await test.frontend.catalog.perform(.deleteModel(version))
            try await test.frontend.catalog.perform(.registerModel(makeModel("calls")))
            try await eventually("the container serves again") {
                await test.frontend.status().replicas.contains { $0.modelName == "calls" }
            }
            #expect(try await test.predict("calls", .float64([1]), rows: 1).map(\.output) == ["2"])
        }
    }

    @Test("A query that a container has in hand when all stops is answered")
    func stops() async throws {
        let isOpen = Gate()
        let container = Self.counting(behind: isOpen)
        let waiting = Locked<Task<[Prediction], any Error>?>(nil)
        try await Embedded.run(["slow": container]) { test in
            let task = Task { try await test.predict("slow", .float64([1]), rows: 1) }
            waiting.withLock { $0 = task }
            try await eventually("the container has the query") {
                await test.frontend.status().replicas.first?.queriesInFlight == 1
            }
            // Now all stops, the container before the frontend.
            Task { isOpen.open() }
        }
        let prediction = try #require(try await waiting.withLock { $0 }?.value.first)
        #expect(prediction.output == "1")
    }

    @Test("A port that is taken is an error that says which, and what to do")
    func portTaken() async throws {
        try await Embedded.run { test in
            let taken = { (address: String) in try #require(Int(address.split(separator: ":").last ?? "")) }
            let addresses = test.frontend.addresses
            let free = FrontendConfiguration(queryPort: 0, adminPort: 0, rpcPort: 0)
            var (query, administration, rpc) = (free, free, free)
            query.queryPort = try taken(addresses.query)
            administration.adminPort = try taken(addresses.admin)
            rpc.rpcPort = try taken(addresses.rpc)
            for (name, configuration) in [("query", query), ("administration", administration), ("RPC", rpc)] {
                let error = await #expect(throws: FrontendError.self) {
                    _ = try await QueryFrontend.start(configuration, logger: .silent)
                }
                let text = try #require(error?.description)
                #expect(text.hasPrefix("cannot bind the \(name) port to 127.0.0.1:"))
                #expect(text.contains("Is another frontend running?"))
            }
        }
    }
}
