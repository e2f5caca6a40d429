import ArgumentParser
import ContainerRPC
import Foundation

@main
struct IdleContainers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle-containers",
        abstract: "Opens many RPC 3 sessions from one process, answers heartbeats, and has nothing else to do.",
        discussion: "Prints `ready COUNT` when all are registered, and goes on until it is killed.")

    @Option(help: "How many containers.")
    var count = 1000

    @Option(help: "The frontend's RPC endpoint, such as tcp://127.0.0.1:7000.")
    var frontend: String

    @Option(help: "The model that all of them register.")
    var model = "idle"

    /// A container takes three of a context's 1,023 sockets: its own, and two for its monitor.
    private static let containersPerContext = 250

    func validate() throws {
        guard count > 0 else { throw ValidationError("there must be a container") }
    }

    func run() throws {
        let registration = Registration(modelName: model, modelVersion: "1", inputType: .float64)
        var containers: [IdleContainer] = []
        var context = try Context()
        let begin = MonotonicTime.now()
        for index in 0..<count {
            if index > 0, index % Self.containersPerContext == 0 { context = try Context() }
            // Spread over a heartbeat's interval, as containers that were started at different times are.
            let spread = SessionTiming.standard.heartbeatInterval * index / count
            containers.append(
                IdleContainer(registration, endpoint: frontend, context: context, opening: begin + spread))
        }
        var isReady = false
        var ready = [Bool](repeating: true, count: count)
        while true {
            let now = MonotonicTime.now()
            for (index, container) in containers.enumerated() where ready[index] || container.deadline <= now {
                try container.turn()
            }
            if !isReady, containers.allSatisfy(\.isRegistered) {
                isReady = true
                print("ready \(count)")
                // Standard output may be a file, which is written only when the buffer is full.
                fflush(nil)
            }
            ready = try wait(for: containers)
        }
    }

    /// Waits until one of the containers has something to do: for each, whether something has come.
    private func wait(for containers: [IdleContainer]) throws -> [Bool] {
        var descriptors: [Int32] = []
        var owners: [Int] = []
        var deadline = MonotonicTime.distantFuture
        for (index, container) in containers.enumerated() {
            deadline = min(deadline, container.deadline)
            for descriptor in container.descriptors {
                descriptors.append(descriptor)
                owners.append(index)
            }
        }
        var ready = [Bool](repeating: false, count: containers.count)
        for (entry, hasInput) in try waitForInput(descriptors, timeout: deadline - .now()).enumerated() where hasInput {
            ready[owners[entry]] = true
        }
        return ready
    }
}
