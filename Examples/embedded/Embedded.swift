import ContainerRPC
import Logging
import ModelContainer
import QueryFrontend
import ServiceLifecycle

/// A query frontend and a model in one process: no second program.
@main
struct Embedded {
    static func main() async throws {
        var logger = Logger(label: "embedded")
        logger.logLevel = .warning

        let frontend = try await QueryFrontend.start(
            FrontendConfiguration(queryPort: 0, adminPort: 0, rpcPort: 0), logger: logger)
        let sum = ModelContainer(name: "sum", version: "1") { (input: [Double]) in input.reduce(0, +) }
        let container = try sum.service(
            endpoint: frontend.addresses.inProcess, context: frontend.context, logger: logger)

        try await withThrowingTaskGroup { group in
            let services = ServiceGroup(services: [frontend, container], logger: logger)
            group.addTask { try await services.run() }

            try await register(in: frontend.catalog)
            // Without a container the application answers with its default output, and says so.
            _ = await frontend.waitUntilServed("sum", within: .seconds(10))
            for prediction in try await frontend.predict("sum", .doubles([[1, 2, 3.5], [10]])) {
                print(prediction.output, prediction.isDefault ? "(default)" : "")
            }
            print("the same over HTTP: POST \(frontend.addresses.query)/sum/predict {\"input\":[1,2,3.5]}")

            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    private static func register(in catalog: CatalogService) async throws {
        try await catalog.perform(
            .registerModel(Model(id: ModelVersion(name: "sum", version: "1"), inputType: .float64)))
        try await catalog.perform(
            .registerApplication(
                Application(
                    name: "sum", inputType: .float64, defaultOutput: "-1", latencySLO: .milliseconds(100))))
        try await catalog.perform(.linkModels(application: "sum", models: ["sum"]))
    }
}
