/// What the administration API can do; the raw value is the last segment of the path.
enum AdministrationOperation: String, CaseIterable {
    case addApplication = "add_app"
    case deleteApplication = "delete_app"
    case setApplicationOptions = "set_app_options"
    case addModel = "add_model"
    case setModelOptions = "set_model_options"
    case setModelVersion = "set_model_version"
    case deleteModel = "delete_versioned_model"
    case addLinks = "add_model_links"
    case deleteLinks = "delete_model_links"
    case linkedModels = "get_linked_models"
    case allApplications = "get_all_applications"
    case application = "get_application"
    case allModels = "get_all_models"
    case model = "get_model"
    case allContainers = "get_all_containers"
    case container = "get_container"
    case selectionState = "get_state"
    case resetSelectionState = "reset_state"
    case drain = "drain"
    case ping = "ping"
    case status = "status"

    /// The operation of a path; a trailing slash does no harm. `nil` for an unknown path.
    init?(path: String) {
        let prefix = "/admin/"
        guard path.hasPrefix(prefix) else { return nil }
        var name = path.dropFirst(prefix.count)
        if name.hasSuffix("/") { name.removeLast() }
        self.init(rawValue: String(name))
    }

    /// Whether it changes the catalog.
    var isChange: Bool {
        switch self {
        case .addApplication, .deleteApplication, .setApplicationOptions, .addModel, .setModelOptions, .setModelVersion,
            .deleteModel, .addLinks, .deleteLinks:
            true
        default: false
        }
    }

    /// Whether it changes anything.
    var isOrder: Bool { isChange || self == .drain || self == .resetSelectionState }

    /// The HTTP method that it is asked with.
    var method: String {
        switch self {
        case .ping, .status: "GET"
        default: "POST"
        }
    }
}
