import ContainerRPC
import Logging
import ModelContainer
import QueryFrontend
import ServiceLifecycle

/// A query frontend with a selection policy of its own, and two models for it to choose from.
@main
struct OwnPolicy {
    static func main() async throws {
        var logger = Logger(label: "own-policy")
        logger.logLevel = .warning

        var configuration = FrontendConfiguration(queryPort: 0, adminPort: 0, rpcPort: 0)
        configuration.policies.add("softmax") { parameters throws(SelectionPolicies.Problem) in
            try parameters.refuseNames(except: ["temperature"])
            return SoftmaxPolicy(
                temperature: try parameters.number("temperature", default: 0.1, in: 0.001...1_000))
        }
        let frontend = try await QueryFrontend.start(configuration, logger: logger)

        // One is always right, one only for even numbers.
        let right = ModelContainer(name: "right", version: "1") { (input: [Double]) in input[0] * 2 }
        let often = ModelContainer(name: "often", version: "1") { (input: [Double]) in
            input[0].truncatingRemainder(dividingBy: 2) == 0 ? input[0] * 2 : 0
        }
        let containers = try [right, often].map { container in
            try container.service(endpoint: frontend.addresses.inProcess, context: frontend.context, logger: logger)
        }

        try await withThrowingTaskGroup { group in
            let services = ServiceGroup(services: [frontend] + containers, logger: logger)
            group.addTask { try await services.run() }
            try await register(in: frontend.catalog)
            try await waitForReplicas(2, of: frontend)

            var errors = 0
            for number in 0..<400 {
                let input = InputValues(elements: .float64([Double(number)]), rowEnds: [1])
                let prediction = try await frontend.predict("double", input)[0]
                if Double(prediction.output) != Double(number * 2) { errors += 1 }
                try await frontend.update("double", Feedback(.query(prediction.queryID, .number(Double(number * 2)))))
                if number % 100 == 99 {
                    print("queries \(number - 98)-\(number + 1): \(errors) wrong")
                    errors = 0
                }
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    private static func register(in catalog: CatalogService) async throws {
        for name in ["often", "right"] {
            try await catalog.perform(
                .registerModel(Model(id: ModelVersion(name: name, version: "1"), inputType: .float64)))
        }
        let selection = SelectionSettings(policy: PolicyDescription("softmax", ["temperature": .number(0.05)]))
        try await catalog.perform(
            .registerApplication(
                Application(
                    name: "double", inputType: .float64, defaultOutput: "-1", latencySLO: .milliseconds(500),
                    selection: selection)))
        try await catalog.perform(.linkModels(application: "double", models: ["often", "right"]))
    }

    /// The containers register by themselves, a moment after all have started.
    private static func waitForReplicas(_ count: Int, of frontend: QueryFrontend) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while await frontend.status().replicas.count < count, ContinuousClock.now < deadline {
            // Between two looks.
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
