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
            // Without a container there is no answer to learn from, as the first feedback would say.
            _ = await frontend.waitUntilServed("double", within: .seconds(10))

            var errors = 0
            for number in 0..<400 {
                let prediction = try await frontend.predict("double", .doubles([[Double(number)]]))[0]
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
}
