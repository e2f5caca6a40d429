import ContainerRPC

/// The rules of the catalog, in Clipper's words where it has some.
extension Catalog {
    /// Checks a change against every rule and completes it.
    ///
    /// - Returns: The change with names spelled as registered, and a registration number for a new model.
    /// - Throws: ``CatalogError`` that says which rule the change breaks.
    func validated(_ change: CatalogChange) throws(CatalogError) -> CatalogChange {
        switch change {
        case .registerApplication(let application):
            return .registerApplication(try validated(application))
        case .deleteApplication(let name):
            guard let application = applications[name] else {
                throw CatalogError("Application \(CatalogNames.quoted(name)) does not exist")
            }
            return .deleteApplication(name: application.name)
        case .setApplicationOptions(let name, let options):
            return try validated(options, ofApplication: name)
        case .registerModel(let model):
            return .registerModel(try validated(model))
        case .setModelOptions(let id, let options):
            return try validated(options, ofModel: id)
        case .deleteModel(let id):
            return .deleteModel(try model(id).id)
        case .setCurrentVersion(let id):
            return .setCurrentVersion(try validatedCurrentVersion(id))
        case .linkModels(let name, let models):
            let application = try application(named: name)
            let links = try newLinks(to: application, models: models)
            try checkAnswering(application, linked: application.linkedModels + links)
            return .linkModels(application: application.name, models: links)
        case .unlinkModels(let name, let models):
            let application = try application(named: name)
            let links = try links(of: application, models: models)
            try checkAnswering(application, linked: application.linkedModels.filter { !links.contains($0) })
            return .unlinkModels(application: application.name, models: links)
        }
    }

    /// Refuses links of which all would only watch: an application without links is being set up, but one with links is to
    /// answer.
    private func checkAnswering(_ application: Application, linked: [String]) throws(CatalogError) {
        guard !linked.isEmpty, linked.allSatisfy(application.selection.shadows.contains) else { return }
        throw CatalogError(
            "No model would be left to answer: all that the application '\(application.name)' would be linked to "
                + "(\(linked.joined(separator: ", "))) are shadows, which only watch. Link another one too, or take them "
                + "from the shadows")
    }

    private func validated(_ application: Application) throws(CatalogError) -> Application {
        try CatalogNames.checkApplication(application.name)
        guard applications[application.name] == nil else {
            throw CatalogError("application '\(application.name)' already exists")
        }
        var unlinked = application
        unlinked.linkedModels = []
        unlinked.selection.shadows = try newShadows(of: application, models: application.selection.shadows)
        try unlinked.checkSettings()
        var linked = unlinked
        if !application.linkedModels.isEmpty {
            linked.linkedModels = try newLinks(to: unlinked, models: application.linkedModels)
            try checkAnswering(linked, linked: linked.linkedModels)
        }
        return linked
    }

    /// The change with all options: those that are not given, as they are.
    private func validated(
        _ options: ApplicationOptions, ofApplication name: String
    ) throws(CatalogError) -> CatalogChange {
        var application = try application(named: name)
        // Shadows that are not given may name models whose last version is gone by now, as links may.
        let shadows = try options.shadows.map { names throws(CatalogError) in
            try newShadows(of: application, models: names)
        }
        application.take(options)
        try application.checkSettings()
        if let shadows {
            application.selection.shadows = shadows
            try checkAnswering(application, linked: application.linkedModels)
        }
        return .setApplicationOptions(
            name: application.name,
            ApplicationOptions(
                latencySLO: application.latencySLO, defaultOutput: application.defaultOutput,
                overload: application.overload, hedging: HedgingSetting(application.hedging),
                policy: application.selection.policy, loss: application.selection.loss,
                minConfidence: application.selection.minConfidence,
                shadows: shadows ?? application.selection.shadows))
    }

    /// The models that are to watch, as registered; refused when one is unknown, named twice, or of another input type.
    ///
    /// They may be linked or not: one that is linked too only watches, so not all that are linked may be.
    private func newShadows(of application: Application, models names: [String]) throws(CatalogError) -> [String] {
        var shadows: [String] = []
        for name in names {
            guard let registeredName = registeredName(ofModel: name) else {
                let known = Set(models.keys.map(\.name)).sorted()
                throw CatalogError(
                    "shadow: no model with name \(CatalogNames.quoted(name)) exists; "
                        + (known.isEmpty ? "none is registered" : CatalogNames.list(known)))
            }
            guard !shadows.contains(registeredName) else {
                throw CatalogError("shadow: the model '\(registeredName)' is named twice")
            }
            if let model = currentModel(named: name), model.inputType != application.inputType {
                throw CatalogError(
                    "shadow: the model '\(registeredName)' takes '\(model.inputType)', but the application "
                        + "'\(application.name)' takes '\(application.inputType)'")
            }
            if let other = contradiction(to: application, inModel: name) {
                throw CatalogError(
                    "shadow: the model '\(registeredName)' has no current version, and the application '\(other.name)', which "
                        + "uses it too, takes '\(other.inputType)': no version could fit both it and the application "
                        + "'\(application.name)', which takes '\(application.inputType)'")
            }
            shadows.append(registeredName)
        }
        return shadows
    }

    private func validated(_ model: Model) throws(CatalogError) -> Model {
        try CatalogNames.check(model.id.name, field: "model name")
        try CatalogNames.check(model.id.version, field: "model version")
        try CatalogNames.checkLabels(model.labels)
        try CatalogNames.checkText(model.containerName, field: "container name")
        try CatalogNames.checkText(model.modelDataPath, field: "model data path")
        let batching = try model.batching.validated()
        guard models[model.id] == nil else {
            throw CatalogError("model with name '\(model.id.name)' and version '\(model.id.version)' already exists")
        }
        try checkInputType(of: model)
        let name = registeredName(ofModel: model.id.name) ?? model.id.name
        return Model(
            id: ModelVersion(name: name, version: model.id.version), inputType: model.inputType, labels: model.labels,
            containerName: model.containerName, modelDataPath: model.modelDataPath, batching: batching,
            cachesPredictions: model.cachesPredictions,
            registration: (models.values.lazy.map(\.registration).max() ?? 0) + 1)
    }

    /// The change with all options: those that are not given, as they are.
    private func validated(_ options: ModelOptions, ofModel id: ModelVersion) throws(CatalogError) -> CatalogChange {
        var model = try model(id)
        model.take(options)
        try CatalogNames.checkLabels(model.labels)
        let batching = try model.batching.validated()
        return .setModelOptions(
            model.id,
            ModelOptions(
                limit: batching.limit, maxDelay: batching.maxDelay, maxBatch: batching.maxBatch,
                cachesPredictions: model.cachesPredictions, labels: model.labels))
    }

    private func model(_ id: ModelVersion) throws(CatalogError) -> Model {
        guard let model = models[id] else {
            throw CatalogError(
                "model with name \(CatalogNames.quoted(id.name)) and version \(CatalogNames.quoted(id.version)) "
                    + "does not exist")
        }
        return model
    }

    private func validatedCurrentVersion(_ id: ModelVersion) throws(CatalogError) -> ModelVersion {
        let name = CatalogNames.quoted(id.name)
        guard registeredName(ofModel: id.name) != nil else {
            throw CatalogError("Cannot set version for nonexistent model \(name)")
        }
        guard let model = models[id] else {
            throw CatalogError(
                "Cannot set non-existent version \(CatalogNames.quoted(id.version)) for model with name \(name)")
        }
        try checkInputType(of: model)
        return model.id
    }

    /// The models to link, as registered; refused when one is unknown, linked already, or of another input type.
    private func newLinks(to application: Application, models names: [String]) throws(CatalogError) -> [String] {
        guard !names.isEmpty else {
            throw CatalogError(
                "Please provide the name of the model that you want to link to the application '\(application.name)'")
        }
        var links: [String] = []
        for name in names {
            guard let registeredName = registeredName(ofModel: name) else {
                throw CatalogError("No model with name \(CatalogNames.quoted(name)) exists.")
            }
            guard !links.contains(name) else { throw CatalogError("The model with name '\(name)' is named twice") }
            guard !application.linkedModels.contains(name) else {
                throw CatalogError("The model with name '\(name)' is already linked to '\(application.name)'")
            }
            if let model = currentModel(named: name), model.inputType != application.inputType {
                throw CatalogError(
                    "Model with name '\(name)' has incompatible input_type '\(model.inputType)'. "
                        + "Requested app to link to has input_type '\(application.inputType)'.")
            }
            if let other = contradiction(to: application, inModel: name) {
                throw CatalogError(
                    "Model with name '\(name)' has no current version, and app '\(other.name)', which uses it too, has "
                        + "input_type '\(other.inputType)'. Requested app to link to has input_type "
                        + "'\(application.inputType)': no version could fit both.")
            }
            links.append(registeredName)
        }
        return links
    }

    /// The links to remove, as stored; refused when one is not there.
    private func links(of application: Application, models names: [String]) throws(CatalogError) -> [String] {
        guard !names.isEmpty else {
            throw CatalogError(
                "Please provide the name of the model that you want to unlink from '\(application.name)'")
        }
        var links: [String] = []
        for name in names {
            guard let link = application.linkedModels.first(where: { $0 == name }) else {
                throw CatalogError(
                    "Cannot remove nonexistent link between app '\(application.name)' and model "
                        + CatalogNames.quoted(name))
            }
            guard !links.contains(link) else { throw CatalogError("The model with name '\(name)' is named twice") }
            links.append(link)
        }
        return links
    }

    private func application(named name: String) throws(CatalogError) -> Application {
        guard let application = applications[name] else {
            throw CatalogError("No app with name \(CatalogNames.quoted(name)) exists.")
        }
        return application
    }

    /// The spelling under which a model's versions are registered.
    private func registeredName(ofModel name: String) -> String? {
        models.keys.first { $0.name == name }?.name
    }

    /// An application of another input type that uses a model without a current version: whichever becomes current could
    /// fit only one of the two. Where there is a current version, it fits all others.
    private func contradiction(to application: Application, inModel name: String) -> Application? {
        guard currentVersions[name] == nil else { return nil }
        return applications(using: name).first { $0.inputType != application.inputType }
    }

    /// Refuses a version to become current that an application that uses its model cannot use.
    private func checkInputType(of model: Model) throws(CatalogError) {
        if let application = applications(using: model.id.name).first(where: { $0.inputType != model.inputType }) {
            let relation = application.linkedModels.contains(model.id.name) ? "linked to" : "a shadow of"
            throw CatalogError(
                "Model with name '\(model.id.name)' is already \(relation) app '\(application.name)' using input type "
                    + "'\(application.inputType)'. The input type of version '\(model.id.version)', "
                    + "'\(model.inputType)', is not compatible.")
        }
    }
}
