import ContainerRPC
import QueryFrontend

/// The requests of the administration API.
enum AdministrationRequest {
    /// What Clipper's tools read as "its containers are started by somebody else".
    private static let noContainer = "NO_CONTAINER"

    static func registerApplication(
        name: String, inputType: InputType, defaultOutput: String, latencySLO: Duration,
        options: ApplicationOptions = ApplicationOptions(), models: [String] = []
    ) -> FrontendRequest {
        var options = options
        options.latencySLO = latencySLO
        options.defaultOutput = defaultOutput
        return post(
            "add_app",
            [("name", .string(name)), ("input_type", .string(inputType.name))] + members(of: options)
                + (models.isEmpty ? [] : [("model_names", names(models))]))
    }

    static func setOptions(ofApplication name: String, _ options: ApplicationOptions) -> FrontendRequest {
        post("set_app_options", [("name", .string(name))] + members(of: options))
    }

    static func selectionState(ofApplication name: String, user: String?) -> FrontendRequest {
        post("get_state", [("app_name", .string(name))] + member(of: user) + [("format", .string("json"))])
    }

    static func resetState(ofApplication name: String, user: String?) -> FrontendRequest {
        post("reset_state", [("app_name", .string(name))] + member(of: user))
    }

    static func deleteApplication(name: String) -> FrontendRequest {
        post("delete_app", [("name", .string(name))])
    }

    static func application(name: String) -> FrontendRequest {
        post("get_application", [("name", .string(name))])
    }

    static func allApplications() -> FrontendRequest {
        post("get_all_applications", [("verbose", .boolean(true))])
    }

    static func link(application: String, models: [String]) -> FrontendRequest {
        post("add_model_links", links(application, models))
    }

    static func unlink(application: String, models: [String]) -> FrontendRequest {
        post("delete_model_links", links(application, models))
    }

    static func registerModel(
        _ id: ModelVersion, inputType: InputType, batching: Batching, cachesPredictions: Bool = true, labels: [String]
    ) -> FrontendRequest {
        // Beside what Clipper has keys for goes only what differs, so that its own management frontend is content too.
        var additions: [(String, RawJSON)] = []
        if batching != Batching(batching.batchSize) {
            additions.append(("batching", object(of: BatchingDescription(batching))))
        }
        if !cachesPredictions { additions.append(("cache", .boolean(false))) }
        return post(
            "add_model",
            members(of: id) + [
                ("input_type", .string(inputType.name)), ("labels", .array(labels.map(RawJSON.string))),
                ("container_name", .string(noContainer)), ("model_data_path", .string("")),
                ("batch_size", .integer(batching.batchSize.wireValue)),
            ] + additions)
    }

    static func setOptions(of id: ModelVersion, _ options: ModelOptions) -> FrontendRequest {
        var batching = options.limit.map { BatchingDescription(Batching(limit: $0)) } ?? BatchingDescription()
        batching.maxDelayMicroseconds = options.maxDelay.map { Int($0.wholeMicroseconds) }
        batching.maxBatch = options.maxBatch
        var changes: [(String, RawJSON)] = []
        if batching != BatchingDescription() { changes.append(("batching", object(of: batching))) }
        if let caches = options.cachesPredictions { changes.append(("cache", .boolean(caches))) }
        if let labels = options.labels { changes.append(("labels", names(labels))) }
        return post("set_model_options", members(of: id) + changes)
    }

    static func setCurrentVersion(_ id: ModelVersion) -> FrontendRequest {
        post("set_model_version", members(of: id))
    }

    static func deleteModel(_ id: ModelVersion) -> FrontendRequest {
        post("delete_versioned_model", members(of: id))
    }

    static func model(_ id: ModelVersion) -> FrontendRequest {
        post("get_model", members(of: id))
    }

    static func allModels() -> FrontendRequest {
        post("get_all_models", [("verbose", .boolean(true))])
    }

    static func drain(_ id: ModelVersion, replica: Int?, _ draining: Draining) -> FrontendRequest {
        var parts = members(of: id)
        if let replica { parts.append(("replica_id", .integer(replica))) }
        switch draining {
        case .begin: break
        case .beginAndStop: parts.append(("stop", .boolean(true)))
        case .end: parts.append(("resume", .boolean(true)))
        }
        return post("drain", parts)
    }

    static func status() -> FrontendRequest {
        FrontendRequest(method: "GET", path: ["admin", "status"], body: nil)
    }

    private static func post(_ operation: String, _ members: [(String, RawJSON)]) -> FrontendRequest {
        FrontendRequest(method: "POST", path: ["admin", operation], body: .object(members))
    }

    private static func members(of id: ModelVersion) -> [(String, RawJSON)] {
        [("model_name", .string(id.name)), ("model_version", .string(id.version))]
    }

    private static func members(of options: ApplicationOptions) -> [(String, RawJSON)] {
        var members: [(String, RawJSON)] = []
        if let output = options.defaultOutput { members.append(("default_output", .string(output))) }
        if let slo = options.latencySLO { members.append(("latency_slo_micros", .integer(slo.wholeMicroseconds))) }
        if let overload = options.overload { members.append(("overload", .string(overload.rawValue))) }
        switch options.hedging {
        case nil: break
        case .off: members.append(("hedging", .boolean(false)))
        case .on(let hedging):
            let settings: [(String, RawJSON)] = [
                ("quantile", .number(hedging.quantile)), ("max_extra_work", .number(hedging.maxExtraWork)),
            ]
            members.append(("hedging", .object(settings)))
        }
        if let policy = options.policy { members.append(("policy", json(of: policy))) }
        if let loss = options.loss { members.append(("loss", .string(loss.rawValue))) }
        if let minConfidence = options.minConfidence { members.append(("min_confidence", .number(minConfidence))) }
        if let shadows = options.shadows { members.append(("shadow", names(shadows))) }
        return members
    }

    private static func member(of user: String?) -> [(String, RawJSON)] {
        user.map { [("uid", .string($0))] } ?? []
    }

    private static func json(of policy: PolicyDescription) -> RawJSON {
        guard !policy.parameters.isEmpty else { return .string(policy.name) }
        let parameters = policy.parameters.sorted { $0.key < $1.key }.map { name, value in
            switch value {
            case .number(let number): (name, RawJSON.number(number))
            case .text(let text): (name, RawJSON.string(text))
            }
        }
        return .object([("name", .string(policy.name)), ("parameters", .object(parameters))])
    }

    private static func object(of description: BatchingDescription) -> RawJSON {
        let parts: [(BatchingDescription.CodingKeys, RawJSON?)] = [
            (.policy, description.policy.map(RawJSON.string)), (.increase, description.increase.map(RawJSON.integer)),
            (.backoff, description.backoff.map(RawJSON.number)), (.size, description.size.map(RawJSON.integer)),
            (.maxDelayMicroseconds, description.maxDelayMicroseconds.map(RawJSON.integer)),
            (.maxBatch, description.maxBatch.map(RawJSON.integer)),
        ]
        return .object(parts.compactMap { key, value in value.map { (key.rawValue, $0) } })
    }

    private static func links(_ application: String, _ models: [String]) -> [(String, RawJSON)] {
        [("app_name", .string(application)), ("model_names", names(models))]
    }

    private static func names(_ names: [String]) -> RawJSON { .array(names.map(RawJSON.string)) }
}
