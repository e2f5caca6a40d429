import ContainerRPC

/// What the query API needs of one application, found by the first segment of a path.
final class Route: Sendable {
    let name: String
    let handle: ApplicationHandle
    let inputType: InputType
    let slo: Duration
    let defaultOutput: String
    /// The linked model that answers: the first; `nil` where none is linked.
    let modelName: String?
    /// Its current version; `nil` where it has none.
    let current: ModelHandle?
    /// Its versions that take the application's inputs.
    let versions: [String: ModelHandle]

    init(_ application: Application, catalog: Catalog, handles: Handles) {
        name = application.name
        handle = handles.handle(forApplication: application.name)
        inputType = application.inputType
        slo = application.latencySLO
        defaultOutput = application.defaultOutput
        modelName = application.linkedModels.first
        current = modelName.flatMap { catalog.currentModel(named: $0) }.map { handles.handle(for: $0.id) }
        var versions: [String: ModelHandle] = [:]
        for model in modelName.map(catalog.versions(ofModel:)) ?? [] where model.inputType == application.inputType {
            versions[model.id.version] = handles.handle(for: model.id)
        }
        self.versions = versions
    }
}

/// All applications at one moment, by name. Each event loop has its own copy and needs no lock to read it.
struct Routes: Sendable {
    private let routes: [String: Route]

    init(_ catalog: Catalog = Catalog(), handles: Handles) {
        routes = catalog.applications.mapValues { Route($0, catalog: catalog, handles: handles) }
    }

    subscript(application name: String) -> Route? { routes[name] }
}
