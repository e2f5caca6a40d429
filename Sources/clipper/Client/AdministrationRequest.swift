import ContainerRPC
import QueryFrontend

/// The requests of the administration API.
enum AdministrationRequest {
    /// What Clipper's tools read as "its containers are started by somebody else".
    private static let noContainer = "NO_CONTAINER"

    static func registerApplication(
        name: String, inputType: InputType, defaultOutput: String, latencySLO: Duration
    ) -> FrontendRequest {
        let (seconds, attoseconds) = latencySLO.components
        return post(
            "add_app",
            [
                ("name", .string(name)), ("input_type", .string(inputType.name)),
                ("default_output", .string(defaultOutput)),
                ("latency_slo_micros", .integer(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)),
            ])
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
        _ id: ModelVersion, inputType: InputType, batchSize: BatchSize, labels: [String]
    ) -> FrontendRequest {
        post(
            "add_model",
            members(of: id) + [
                ("input_type", .string(inputType.name)), ("labels", .array(labels.map(RawJSON.string))),
                ("container_name", .string(noContainer)), ("model_data_path", .string("")),
                ("batch_size", .integer(batchSize.wireValue)),
            ])
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

    static func status() -> FrontendRequest {
        FrontendRequest(method: "GET", path: ["admin", "status"], body: nil)
    }

    private static func post(_ operation: String, _ members: [(String, RawJSON)]) -> FrontendRequest {
        FrontendRequest(method: "POST", path: ["admin", operation], body: .object(members))
    }

    private static func members(of id: ModelVersion) -> [(String, RawJSON)] {
        [("model_name", .string(id.name)), ("model_version", .string(id.version))]
    }

    private static func links(_ application: String, _ models: [String]) -> [(String, RawJSON)] {
        [("app_name", .string(application)), ("model_names", .array(models.map(RawJSON.string)))]
    }
}
