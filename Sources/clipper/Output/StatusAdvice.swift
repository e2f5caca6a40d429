import QueryFrontend

/// What is missing before queries are answered, and the command that adds it.
enum StatusAdvice {
    /// Longer lists help nobody.
    private static let mostNotes = 5

    /// The notes, line by line; none where all is well.
    static func lines(for status: FrontendStatus) -> [String] {
        if status.applications.isEmpty, status.models.isEmpty, status.replicas.isEmpty { return firstSteps }
        // What queries wait for comes first; what nobody has asked for yet may be left out.
        let notes = unserved(status) + unregistered(status) + unlinked(status) + watched(status) + unasked(status)
        guard notes.count > mostNotes else { return notes.flatMap(\.self) }
        let left = notes.count - mostNotes
        let what = left == 1 ? "note" : "notes"
        return notes.prefix(mostNotes).flatMap(\.self) + ["… and \(left) more \(what) of this kind."]
    }

    private static let firstSteps = [
        "Nothing is registered yet. To serve a model:",
        "  1. clipper model register MODEL VERSION --input-type doubles",
        "  2. clipper app register APP --input-type doubles --default-output -1.0 --slo 100ms --link MODEL",
        "  3. start a container of the model; it connects to the frontend's RPC port",
        "  4. clipper predict APP '[1.0, 2.0]'",
    ]

    /// Containers of models that nobody registered.
    private static func unregistered(_ status: FrontendStatus) -> [[String]] {
        let registered = Set(status.models.map { ModelVersion(name: $0.name, version: $0.version) })
        var seen: Set<ModelVersion> = []
        return status.replicas.compactMap { replica in
            let id = ModelVersion(name: replica.modelName, version: replica.modelVersion)
            guard !registered.contains(id), seen.insert(id).inserted else { return nil }
            return note(
                "A container of \(id) is connected, but that model is not registered:",
                "clipper model register \(word(id.name)) \(word(id.version)) --input-type \(word(replica.inputType))")
        }
    }

    /// Applications without a model.
    private static func unlinked(_ status: FrontendStatus) -> [[String]] {
        status.applications.filter(\.linkedModels.isEmpty).map { application in
            note(
                "Application \(application.name) is linked to no model and gives only its default output:",
                "clipper app link \(word(application.name)) "
                    + (onlyModel(of: status, inputType: application.inputType) ?? "MODEL"))
        }
    }

    /// Applications whose models only watch.
    private static func watched(_ status: FrontendStatus) -> [[String]] {
        status.applications.compactMap { application in
            guard let shadows = application.shadows, !application.linkedModels.isEmpty,
                Set(application.linkedModels).isSubset(of: shadows)
            else { return nil }
            return note(
                "All models of application \(application.name) are shadows, which only watch: it gives only its default "
                    + "output. Link another, or name fewer:",
                "clipper app set-policy \(word(application.name)) POLICY --shadow MODEL")
        }
    }

    /// Linked models that cannot answer.
    private static func unserved(_ status: FrontendStatus) -> [[String]] {
        let linked = Set(status.applications.flatMap(\.linkedModels)).sorted()
        return linked.compactMap { name in
            guard let current = status.models.first(where: { $0.name == name && $0.isCurrent }) else {
                return without(name, status)
            }
            guard current.replicas > 0 else {
                return note("No container of \(name):\(current.version) is connected; start one.")
            }
            let replicas = status.replicas.filter { $0.modelName == name && $0.modelVersion == current.version }
            return idle(current, replicas) ?? failing(current, replicas)
        }
    }

    /// A linked model without a current version. One that is there and fits is mostly current by itself: but not in a store
    /// from before that was so.
    private static func without(_ name: String, _ status: FrontendStatus) -> [String] {
        let types = Set(status.applications.filter { $0.linkedModels.contains(name) }.map(\.inputType))
        let type = types.count == 1 ? types.first : nil
        let problem = "Model \(name) is linked to an application, but has no current version"
        // The last one that was registered comes last.
        if let type, let fit = status.models.last(where: { $0.name == name && $0.inputType == type }) {
            return note("\(problem):", "clipper model set-version \(word(name)) \(word(fit.version))")
        }
        let unfit = status.models.contains { $0.name == name } && type != nil
        return note(
            problem + (unfit ? ", as none takes what the application sends:" : ":"),
            "clipper model register \(word(name)) VERSION --input-type \(type.map(word) ?? "TYPE")")
    }

    /// A model whose containers are there and get nothing.
    private static func idle(_ model: ModelStatus, _ replicas: [ReplicaStatus]) -> [String]? {
        let states = Set(replicas.map(\.state))
        guard !states.isEmpty, !states.contains("active") else { return nil }
        let id = "\(model.name):\(model.version)"
        if states.contains("draining") {
            return note(
                "No container of \(id) takes queries: they drain, end, or are stuck. To take back what was drained:",
                "clipper model drain \(word(model.name)) \(word(model.version)) --resume")
        }
        if states.contains("stuck") {
            return note("The containers of \(id) are stuck: they get nothing until they answer. Restart them.")
        }
        return note("The containers of \(id) take other inputs than it is registered with; start one that takes these.")
    }

    /// A model with a container that fails for all that it gets.
    private static func failing(_ model: ModelStatus, _ replicas: [ReplicaStatus]) -> [String]? {
        replicas.first { $0.failedBatches ?? 0 >= max(1, $0.completedBatches) }.map { replica in
            note(
                "The container of \(model.name):\(model.version):\(replica.replica) has failed for at least half of its "
                    + "batches, wholly or for some inputs; its log, and the frontend's, say why.")
        }
    }

    /// Models, but no application.
    private static func unasked(_ status: FrontendStatus) -> [[String]] {
        guard status.applications.isEmpty, !status.models.isEmpty else { return [] }
        return [
            note(
                "No application asks the models yet:",
                "clipper app register APP --input-type TYPE --default-output OUTPUT --slo 100ms "
                    + "--link \(onlyModel(of: status) ?? "MODEL")")
        ]
    }

    /// - Parameter inputType: what the model must take, as far as its containers tell.
    private static func onlyModel(of status: FrontendStatus, inputType: String? = nil) -> String? {
        let names = Set(status.models.map(\.name))
        guard names.count == 1, let name = names.first else { return nil }
        if let inputType, status.replicas.contains(where: { $0.modelName == name && $0.inputType != inputType }) {
            return nil
        }
        return word(name)
    }

    private static func note(_ text: String, _ command: String? = nil) -> [String] {
        [Printable.line(text)] + (command.map { ["  " + Printable.line($0)] } ?? [])
    }

    private static func word(_ text: String) -> String { Printable.shellWord(text) }
}
