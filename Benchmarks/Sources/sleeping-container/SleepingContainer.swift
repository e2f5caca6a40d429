import ArgumentParser
import ModelContainer

@main
struct SleepingContainer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sleeping-container",
        abstract: "Serves the sum of an input's doubles; a batch of n takes a fixed time and n times another, asleep.",
        discussion: """
            It stands for a model on an accelerator: a batch takes its time and costs the processor next to nothing (on \
            Linux its last 80 µs are spent awake, so that it ends in time). Batches are served one after the other.
            """)

    @Option(help: "What each batch takes, such as 4ms.", transform: BatchTime.duration)
    var fixed = Duration.milliseconds(4)

    @Option(help: "What each input of it takes besides, such as 100us.", transform: BatchTime.duration)
    var perInput = Duration.microseconds(100)

    @Option(help: "The standard deviation of the logarithm of a random factor on each batch; 0 for none.")
    var jitter = 0.0

    @Option(help: "The share of batches that take --stall longer, from 0 to 1.")
    var stallShare = 0.0

    @Option(help: "What a stalled batch takes longer, such as 50ms.", transform: BatchTime.duration)
    var stall = Duration.zero

    @Option(help: "The seed of jitter and stalls.")
    var seed: UInt64 = 1

    @Option(help: "Serves nothing; sleeps as often as said, for batches of 1, and prints how much longer it took.")
    var measure: Int?

    @OptionGroup var options: ContainerOptions

    func validate() throws {
        guard jitter >= 0, (0...1).contains(stallShare) else {
            throw ValidationError("the jitter is at least 0, and the share of stalls from 0 to 1")
        }
    }

    func run() async throws {
        let time = BatchTime(
            fixed: fixed, perInput: perInput, jitter: jitter, stallShare: stallShare, stall: stall, seed: seed)
        if let measure {
            print(overshoot(of: time, times: max(1, measure)))
            return
        }
        try await ModelContainer(name: "sleeping", version: "1") { (batch: InputBatch<Double>) in
            let begin = PreciseSleep.now()
            // The sums are part of the batch's time, as the work on the host is part of a real model's.
            let sums = batch.map { input in input.reduce(0, +) }
            PreciseSleep.sleep(until: begin + time.next(inputs: batch.count))
            return sums
        }.run(with: options)
    }

    /// How much later than it should each sleep ended, in microseconds.
    private func overshoot(of time: BatchTime, times: Int) -> String {
        var late: [Int64] = []
        for _ in 0..<times {
            let end = PreciseSleep.now() + time.next(inputs: 1)
            PreciseSleep.sleep(until: end)
            late.append((PreciseSleep.now() - end) / 1000)
        }
        late.sort()
        return "overshoot_micros p50=\(late[times / 2]) p99=\(late[times * 99 / 100]) max=\(late[times - 1])"
    }
}
