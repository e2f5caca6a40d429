// ContainerRPC is not imported here, on purpose: these are the names that ModelContainer's declarations show of it.
import Logging
import ModelContainer
import Testing

@Suite("Names of the protocol in ModelContainer")
struct PublicNamesTests {
    private let container = ModelContainer(name: "names", version: "1") { (input: [Double]) throws -> Int in
        throw InvalidInput("no \(input)")
    }

    @Test("An input type and a failure's code can be compared without another import")
    func compared() async throws {
        #expect(container.inputType == .float64)
        let failure = try await #require(throws: PredictionFailure.self) { try await container.predict([[1.0]]) }
        #expect(failure.code == .invalidInput)
    }

    @Test("A context can be made and ended, and a trace given")
    func made() throws {
        let context = try Context()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        _ = try container.service(endpoint: "tcp://127.0.0.1:7000", context: context, logger: logger)
        context.terminate()
        #expect(BatchContext(trace: TraceContext(parent: "a")).trace?.parent == "a")
    }
}
