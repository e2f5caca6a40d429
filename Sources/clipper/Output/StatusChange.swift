import ContainerRPC
import QueryFrontend

/// What happened between two looks at a frontend: rates of now, where the status itself has averages.
struct StatusChange {
    /// What happened to an application's queries.
    struct Queries: Equatable {
        var queries = 0
        var defaults = 0
    }

    /// What replicas did.
    struct Work: Equatable {
        var batches = 0
        var queries = 0
    }

    /// How far a frontend's start may seem to move, in seconds: not all answers are equally quick.
    private static let startTolerance = 1.0

    /// The time between the looks, in seconds.
    let seconds: Double
    private let before: FrontendStatus
    private let after: FrontendStatus

    /// `nil` where the two are not of one run of the frontend, or of one moment.
    ///
    /// - Parameter interval: the time between the two, by the clock of whoever looks.
    init?(from before: FrontendStatus, to after: FrontendStatus, interval: Duration) {
        seconds = after.uptimeSeconds - before.uptimeSeconds
        // A new process can have been up for longer than the last had been: what has moved is its start.
        guard seconds > 0, abs(interval.inSeconds - seconds) <= Self.startTolerance else { return nil }
        self.before = before
        self.after = after
    }

    /// What happened to an application's queries; `nil` where it was not there before.
    func queries(of application: ApplicationStatus) -> Queries? {
        guard let old = before.applications.first(where: { $0.name == application.name }) else { return nil }
        let change = Queries(
            queries: application.queries - old.queries, defaults: application.defaults - old.defaults)
        // One that was deleted and registered again has begun anew.
        return change.queries >= 0 && change.defaults >= 0 ? change : nil
    }

    /// How the counters of a model version rose; `nil` where it was not there before.
    func rise(of counter: KeyPath<ModelStatus, Int>, _ model: ModelStatus) -> Int? {
        guard let old = before.models.first(where: { ($0.name, $0.version) == (model.name, model.version) }) else {
            return nil
        }
        let rise = model[keyPath: counter] - old[keyPath: counter]
        return rise >= 0 ? rise : nil
    }

    /// What a replica did. One that is new has done all that it has done.
    func work(of replica: ReplicaStatus) -> Work {
        let old = before.replicas.first { old in
            (old.modelName, old.modelVersion, old.replica)
                == (replica.modelName, replica.modelVersion, replica.replica)
        }
        return Work(
            batches: max(0, replica.completedBatches - (old?.completedBatches ?? 0)),
            queries: max(0, replica.completedQueries - (old?.completedQueries ?? 0)))
    }

    /// What the present replicas of a model version did.
    func work(of model: ModelStatus) -> Work {
        after.replicas.filter { ($0.modelName, $0.modelVersion) == (model.name, model.version) }.reduce(into: Work()) {
            let work = work(of: $1)
            $0.batches += work.batches
            $0.queries += work.queries
        }
    }
}
