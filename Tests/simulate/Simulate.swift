import ArgumentParser
import Simulation

@main struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the frontend's scheduler, sessions and cache in simulated worlds and checks what must hold.")

    @Option(help: "How many seeds to run.")
    var seeds = 1000

    @Option(help: "The first seed.")
    var from: UInt64 = 0

    @Option(help: "Run this seed alone.")
    var seed: UInt64?

    @Flag(help: "Print the whole history of the seed.")
    var verbose = false

    @Option(help: "How many seeds run at the same time.")
    var threads = 2

    func run() async throws {
        if let seed {
            var simulation = Simulation(seed: seed, keepsHistory: verbose)
            let report = simulation.run()
            for line in report.history { print(line) }
            print("seed \(seed), history \(String(report.historyHash, radix: 16))")
            if let violation = report.violation { print("VIOLATION \(violation)") }
            throw report.violation == nil ? ExitCode.success : ExitCode.failure
        }
        let clock = ContinuousClock()
        let begin = clock.now
        let summary = await SeedRange(from: from, count: seeds).run(threads: threads)
        let elapsed = clock.now - begin
        print(summary.table)
        print("\(summary.seeds) seeds in \(elapsed), histories \(String(summary.historiesHash, radix: 16))")
        for failure in summary.failures.prefix(20) {
            print("VIOLATION seed \(failure.seed) \(failure.violation)")
        }
        if let first = summary.failures.first {
            print("\(summary.failures.count) seeds fail. Replay one: simulate --seed \(first.seed) --verbose")
            throw ExitCode.failure
        }
    }
}
