import ContainerRPC

/// A model version that queries can go to.
struct RoutedModel: Sendable {
    let handle: ModelHandle
    /// Whether its outputs may be kept and shared.
    let caches: Bool

    init(_ model: Model, handles: Handles) {
        handle = handles.handle(for: model.id)
        caches = model.cachesPredictions
    }
}

/// What the query API needs of one application, found by the first segment of a path.
final class Route: Sendable {
    let name: String
    let handle: ApplicationHandle
    let inputType: InputType
    let slo: Duration
    let defaultOutput: String
    let overload: OverloadAnswer
    /// Whether the models that answer are chosen for each query: by a policy, or the first that has a replica.
    let selects: Bool
    /// Whether the application has a policy, or shadows, that feedback is for.
    let learns: Bool
    /// How the application measures errors.
    let loss: Loss
    /// The first linked model that is no shadow, which answers where none is chosen; `nil` where none is linked.
    let modelName: String?
    /// Its current version; `nil` where it has none.
    let current: RoutedModel?
    /// Its versions that take the application's inputs.
    let versions: [String: RoutedModel]
    /// Its versions that take others.
    let unfitVersions: Set<String>

    /// - Parameter versions: those of the first linked model that is no shadow.
    init(_ application: Application, versions registered: [Model], catalog: Catalog, handles: Handles) {
        name = application.name
        handle = handles.handle(forApplication: application.name)
        inputType = application.inputType
        slo = application.latencySLO
        defaultOutput = application.defaultOutput
        overload = application.overload
        selects = application.selects
        learns = !application.selection.isStandard
        loss = application.selection.loss
        modelName = application.answeringModels.first
        current = modelName.flatMap { catalog.currentModel(named: $0) }.map { RoutedModel($0, handles: handles) }
        var versions: [String: RoutedModel] = [:]
        for model in registered where model.inputType == application.inputType {
            versions[model.id.version] = RoutedModel(model, handles: handles)
        }
        self.versions = versions
        unfitVersions = Set(registered.lazy.map(\.id.version).filter { versions[$0] == nil })
    }
}

/// All applications at one moment, by name. Each event loop has its own copy and needs no lock to read it.
struct Routes: Sendable {
    private let routes: [String: Route]

    init(_ catalog: Catalog = Catalog(), handles: Handles) {
        let versions = Dictionary(grouping: catalog.models.values, by: \.id.name)
        routes = catalog.applications.mapValues { application in
            Route(
                application, versions: application.answeringModels.first.flatMap { versions[$0] } ?? [],
                catalog: catalog, handles: handles)
        }
    }

    subscript(application name: String) -> Route? { routes[name] }
}
