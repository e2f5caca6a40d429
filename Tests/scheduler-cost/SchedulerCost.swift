import ArgumentParser

@main
struct SchedulerCost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler-cost",
        abstract: "Measures what the scheduler takes for each query, with few and with many queries waiting.",
        discussion: """
            Prints a row of a Markdown table: nanoseconds for each query from its arrival to its outcome with 100 and \
            with 100,000 queued, and of them those of its admission; then those of turning a query away. Queries come \
            and are answered in batches of 64.
            """)

    @Option(name: .customLong("run"), help: "The number in the first column.")
    var number = 1

    @Option(help: "Batches to measure.")
    var turns = 10_000

    @Flag(help: "Each query has a deadline of its own, in no order.")
    var varyDeadlines = false

    @Flag(help: "Prints the head of the table alone.")
    var header = false

    func validate() throws {
        guard turns > 0 else { throw ValidationError("there must be a batch to measure") }
    }

    func run() throws {
        if header {
            print(
                "| run | 100 queued | 100,000 queued | ratio | admission at 100 | admission at 100,000 "
                    + "| refusal at 100,000 |")
            print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
            return
        }
        var few = LoadedScheduler(depth: 100, deadlinesVary: varyDeadlines)
        let fewCost = few.measure(turns: turns)
        var many = LoadedScheduler(depth: 100_000, deadlinesVary: varyDeadlines)
        let manyCost = many.measure(turns: turns)
        let refusal = many.measureRefusals(turns: max(1, turns / 10))
        print(
            "| \(number) | \(Int(fewCost.total)) | \(Int(manyCost.total)) | \(hundredths(manyCost.total / fewCost.total)) "
                + "| \(Int(fewCost.admission)) | \(Int(manyCost.admission)) | \(Int(refusal)) |")
    }

    private func hundredths(_ value: Double) -> String {
        let whole = Int((value * 100).rounded())
        return "\(whole / 100)." + (whole % 100 < 10 ? "0" : "") + "\(whole % 100)"
    }
}
