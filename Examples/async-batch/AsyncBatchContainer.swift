import ArgumentParser
import ModelContainer

@main
struct AsyncBatchContainer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "async-batch-container",
        abstract: "Serves a model that looks its features up elsewhere: a customer's name in, a JSON object out.")

    @Option(help: ArgumentHelp("How long a lookup takes.", valueName: "milliseconds"))
    var lookupTime = 5

    @OptionGroup var options: ContainerOptions

    func validate() throws {
        guard lookupTime >= 0 else { throw ValidationError("--lookup-time must not be negative") }
    }

    func run() async throws {
        let store = FeatureStore(lookupTime: .milliseconds(lookupTime))
        let container = ModelContainer(name: "churn", version: "1") { (customers: [String]) async throws -> [Risk] in
            // One lookup for the whole batch: this is what the batch form is for.
            let features = try await store.features(of: Set(customers))
            return customers.map { Risk(customer: $0, features: features[$0]) }
        }
        try await container.run(with: options)
    }
}

/// How likely a customer is to leave; sent as JSON.
struct Risk: Encodable {
    let customer: String
    /// From 0 to 1; left out if the store does not know the customer.
    let probability: Double?

    init(customer: String, features: Features?) {
        self.customer = customer
        probability = features.map { min(1, Double($0.complaints) / Double(1 + $0.orders)) }
    }
}
