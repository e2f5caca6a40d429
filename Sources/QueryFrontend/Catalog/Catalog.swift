import ContainerRPC

/// The applications, models and links of a frontend at one moment.
///
/// A value without I/O: ``validated(_:)`` holds every rule, ``apply(_:)`` carries a change out. Names compare as Swift
/// strings do, by canonical equivalence; a change that passes ``validated(_:)`` spells names as they were registered.
public struct Catalog: Sendable, Equatable {
    /// The applications, by name.
    public private(set) var applications: [String: Application]
    /// The registered versions of models.
    public private(set) var models: [ModelVersion: Model]
    /// The version that queries go to, by the model's name.
    ///
    /// A model has none when its current version was deleted and no remaining one fits the applications that use it.
    public private(set) var currentVersions: [String: String]

    /// A catalog of these parts, which are taken to obey the rules.
    package init(
        applications: [String: Application] = [:], models: [ModelVersion: Model] = [:],
        currentVersions: [String: String] = [:]
    ) {
        self.applications = applications
        self.models = models
        self.currentVersions = currentVersions
    }

    /// The version of the model `name` that queries go to; `nil` when there is none.
    public func currentModel(named name: String) -> Model? {
        currentVersions[name].flatMap { models[ModelVersion(name: name, version: $0)] }
    }

    /// Whether this is the version of its model that queries go to.
    public func isCurrent(_ id: ModelVersion) -> Bool {
        currentVersions[id.name] == id.version
    }

    /// The registered versions of the model `name`, the oldest registration first.
    public func versions(ofModel name: String) -> [Model] {
        models.values.filter { $0.id.name == name }.sorted { $0.registration < $1.registration }
    }

    /// The applications linked to the model `name`, by name.
    public func applications(linkedTo name: String) -> [Application] {
        applications.values.filter { $0.linkedModels.contains(name) }.sorted { $0.name < $1.name }
    }

    /// The applications whose queries the model `name` gets, by name: those linked to it, and those that it watches.
    func applications(using name: String) -> [Application] {
        applications.values.filter { $0.linkedModels.contains(name) || $0.selection.shadows.contains(name) }
            .sorted { $0.name < $1.name }
    }

    /// Validates a change and carries it out, with what follows from it: a model that has no current version gets the newest
    /// that fits, where what stood in the way is gone.
    ///
    /// - Returns: The change as it was carried out, and those that followed.
    /// - Throws: ``CatalogError``; nothing has changed then.
    @discardableResult
    mutating func perform(_ change: CatalogChange) throws(CatalogError) -> [CatalogChange] {
        let change = try validated(change)
        apply(change)
        let promotions = successors.map(CatalogChange.setCurrentVersion)
        for promotion in promotions { apply(promotion) }
        return [change] + promotions
    }

    /// What an operator is to know of a model that applications use although no version of it can serve them; `nil` of others.
    func want(ofModel name: String) -> String? {
        let users = applications(using: name)
        guard currentVersions[name] == nil, let user = users.first else { return nil }
        let names = users.map { "'\($0.name)'" }.joined(separator: ", ")
        let missing =
            versions(ofModel: name).isEmpty
            ? "it has no version any more" : "no version that is left takes \(user.inputType)"
        return "model '\(name)' has no current version now: \(missing), and \(names) still "
            + (users.count == 1 ? "uses it" : "use it")
    }

    /// The version that is to become current of each model that has none: the newest that all applications that use the
    /// model can use.
    private var successors: [ModelVersion] {
        let orphans = Set(models.keys.lazy.map(\.name)).filter { currentVersions[$0] == nil }
        return orphans.sorted().compactMap { name in
            let users = applications(using: name)
            return versions(ofModel: name).last { model in users.allSatisfy { $0.inputType == model.inputType } }?.id
        }
    }

    /// Carries out a change that came from ``validated(_:)`` of this catalog.
    mutating func apply(_ change: CatalogChange) {
        switch change {
        case .registerApplication(let application):
            applications[application.name] = application
        case .deleteApplication(let name):
            applications[name] = nil
        case .setApplicationOptions(let name, let options):
            applications[name]?.take(options)
        case .registerModel(let model):
            models[model.id] = model
            currentVersions[model.id.name] = model.id.version
        case .setModelOptions(let id, let options):
            models[id]?.take(options)
        case .deleteModel(let id):
            models[id] = nil
            if isCurrent(id) { currentVersions[id.name] = nil }
        case .setCurrentVersion(let id):
            currentVersions[id.name] = id.version
        case .linkModels(let application, let models):
            applications[application]?.linkedModels += models
        case .unlinkModels(let application, let models):
            applications[application]?.linkedModels.removeAll { models.contains($0) }
        }
    }
}
