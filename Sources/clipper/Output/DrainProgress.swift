import QueryFrontend

/// What waiting for replicas to finish comes to, answer by answer.
struct DrainProgress {
    /// What follows from an answer.
    enum Step: Equatable {
        /// Ask again in a moment; the line, if any, is news for whoever waits.
        case wait(String?)
        /// Nothing is in flight on them any more; one line for each. What is left to be done, if anything, is in the lines too.
        case done([String], advice: String? = nil)
        /// The time is up.
        case tooLate(CommandFailure)
    }

    /// The version whose replicas drain.
    let id: ModelVersion
    /// The one replica that drains; `nil`: all.
    let replica: Int?
    /// How long to wait.
    let timeout: Duration
    /// Whether their containers are to end then.
    let stops: Bool

    private var seen: Set<Int> = []
    private var told: String?

    init(_ id: ModelVersion, replica: Int?, timeout: Duration, stops: Bool = false) {
        self.stops = stops
        self.id = id
        self.replica = replica
        self.timeout = timeout
    }

    /// Takes the replicas as they are after so long a wait; those that have disconnected are missing.
    mutating func note(_ replicas: [ReplicaStatus], after wait: Duration) -> Step {
        seen.formUnion(replicas.map(\.replica))
        let busy = replicas.filter { $0.queriesInFlight > 0 || $0.batchesInFlight > 0 }.sorted {
            $0.replica < $1.replica
        }
        guard !busy.isEmpty else {
            let present = Set(replicas.map(\.replica))
            // A container of RPC 4 is told to end, and is gone in a moment; the others stay until somebody ends them.
            let deaf = replicas.filter { stops && $0.rpcVersion == 3 }.map(\.replica).sorted()
            let why = "RPC 3 and cannot be told to end: stop"
            let lines = seen.sorted().map { number in
                let state = present.contains(number) ? "is drained" : "has disconnected"
                return "\(id):\(number) \(state)"
                    + (deaf.contains(number) ? "; it speaks \(why) its container yourself" : "")
            }
            let names = deaf.map { "\(id):\($0)" }.joined(separator: ", ")
            let advice =
                deaf.count == 1
                ? "\(names) speaks \(why) its container yourself" : "\(names) speak \(why) their containers yourself"
            return .done(lines, advice: deaf.isEmpty ? nil : advice)
        }
        let queries = busy.reduce(0) { $0 + $1.queriesInFlight }
        let names = busy.map { "\(id):\($0.replica)" }.joined(separator: ", ")
        let count = queries == 1 ? "1 query" : "\(queries) queries"
        guard wait < timeout else {
            let words = ["clipper model drain", Printable.shellWord(id.name), Printable.shellWord(id.version)]
            let command = (words + (replica.map { ["\($0)"] } ?? []) + ["--resume"]).joined(separator: " ")
            return .tooLate(
                CommandFailure(
                    cause: .refused(status: nil),
                    message: "after \(DurationText.format(timeout)) \(count) still in flight on \(names); "
                        + "nothing new is sent there",
                    advice: "The same command waits again; `\(command)` takes back what drains."))
        }
        let line = "\(count) in flight on \(names)"
        guard line != told else { return .wait(nil) }
        told = line
        return .wait(line)
    }
}
