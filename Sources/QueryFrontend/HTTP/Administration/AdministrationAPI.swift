import ContainerRPC

/// Clipper's administration API: requests in, replies out, without HTTP around it.
///
/// The paths are those that `clipper_admin` speaks; `status`, `drain`, `set_app_options`, `set_model_options` and `reset_state`
/// are additions.
struct AdministrationAPI: Sendable {
    /// The longest request body, in bytes.
    static let longestBody = 1 << 20

    private let service: CatalogService
    private let observer: any FrontendObserver

    /// An API over a catalog and a view of the running frontend.
    init(service: CatalogService, observer: any FrontendObserver) {
        self.service = service
        self.observer = observer
    }

    /// Answers one request; every failure is a reply.
    ///
    /// - Parameters:
    ///   - method: The HTTP method, in capitals. A `HEAD` gets what a `GET` gets.
    ///   - path: The path without a query.
    ///   - body: The body, taken for JSON whatever its content type.
    func respond(method: String, path: String, body: [UInt8]) async -> AdministrationReply {
        guard let operation = AdministrationOperation(path: path) else { return .notFound(path: path) }
        guard operation.method == (method == "HEAD" ? "GET" : method) else {
            return .methodNotAllowed(path: path, method: method, allowed: operation.method)
        }
        guard body.count <= Self.longestBody else { return Self.bodyTooLong }
        do {
            return try await perform(operation, body)
        } catch let error as AdministrationBodyError {
            return .failure(400, error.message)
        } catch let error as CatalogError {
            return .failure(400, error.message)
        } catch {
            return .failure(500, "Nothing was changed: \(error)")
        }
    }

    /// Whether a browser's request comes from a page of this server. It sends those of other sites' pages too, which need not
    /// read the answer to do harm; and a site's name may have been made to lead here (DNS rebinding), so that beside an
    /// origin only an address or `localhost` counts as this server.
    static func isOwn(origin: String, host: String?) -> Bool {
        guard let host = host?.lowercased(), let scheme = origin.firstRange(of: "://"),
            origin[scheme.upperBound...].lowercased() == host
        else { return false }
        let name = host.prefix { $0 != ":" }
        return host.hasPrefix("[") || name == "localhost" || name.allSatisfy { "0123456789.".contains($0) }
    }

    /// The reply to a body over the limit, for a shell that stops reading there.
    static var bodyTooLong: AdministrationReply {
        .failure(413, "The body is longer than \(longestBody) bytes")
    }

    private func perform(_ operation: AdministrationOperation, _ body: [UInt8]) async throws -> AdministrationReply {
        switch operation {
        case .addApplication: try await addApplication(.read(body))
        case .deleteApplication: try await deleteApplication(.read(body))
        case .setApplicationOptions: try await setApplicationOptions(.read(body))
        case .addModel: try await addModel(.read(body))
        case .setModelOptions: try await setModelOptions(.read(body))
        case .setModelVersion: try await setModelVersion(.read(body))
        case .deleteModel: try await deleteModel(.read(body))
        case .addLinks: try await addLinks(.read(body))
        case .deleteLinks: try await deleteLinks(.read(body))
        case .linkedModels: try await linkedModels(.read(body))
        case .allApplications: try await allApplications(.read(body))
        case .application: try await application(.read(body))
        case .allModels: try await allModels(.read(body))
        case .model: try await model(.read(body))
        case .allContainers: try await allContainers(.read(body))
        case .container: try await container(.read(body))
        case .selectionState: try await selectionState(.read(body))
        case .resetSelectionState: try await resetSelectionState(.read(body))
        case .drain: try await drain(.read(body))
        case .ping: .text("PONG")
        case .status: try .json(await observer.status())
        }
    }
}

// MARK: - Changes

extension AdministrationAPI {
    /// Carries out a change.
    ///
    /// - Parameter words: What it has done, as Clipper says it.
    /// - Returns: These, and what has become current besides.
    private func perform(_ change: CatalogChange, _ words: String) async throws -> AdministrationReply {
        let promotions = try await service.perform(change).dropFirst().compactMap { change in
            if case .setCurrentVersion(let id) = change {
                "version '\(id.version)' of model '\(id.name)' is the current one now"
            } else {
                nil
            }
        }
        return .text(([words] + promotions).joined(separator: "; "))
    }

    private func addApplication(_ body: ApplicationBody) async throws -> AdministrationReply {
        let application = body.application
        let links = application.linkedModels.map { "'\($0)'" }.joined(separator: ", ")
        return try await perform(
            .registerApplication(application),
            "Successfully added application with name '\(application.name)'"
                + (links.isEmpty ? "" : ", linked to \(links)"))
    }

    private func deleteApplication(_ body: ApplicationNameBody) async throws -> AdministrationReply {
        try await perform(
            .deleteApplication(name: body.name), "Successfully deleted application with name '\(body.name)'")
    }

    private func setApplicationOptions(_ body: ApplicationOptionsBody) async throws -> AdministrationReply {
        try await perform(
            .setApplicationOptions(name: body.name, body.options),
            "Successfully set options of application with name '\(body.name)'")
    }

    private func addModel(_ body: ModelBody) async throws -> AdministrationReply {
        let model = body.model
        return try await perform(
            .registerModel(model),
            "Successfully added model with name '\(model.id.name)' and input type '\(model.inputType)'")
    }

    private func setModelOptions(_ body: ModelOptionsBody) async throws -> AdministrationReply {
        try await perform(
            .setModelOptions(body.id, body.options),
            "Successfully set options of model with name '\(body.id.name)' and version '\(body.id.version)'")
    }

    private func setModelVersion(_ body: ModelVersionBody) async throws -> AdministrationReply {
        try await perform(
            .setCurrentVersion(body.id),
            "Successfully set model with name '\(body.id.name)' to version '\(body.id.version)'")
    }

    private func deleteModel(_ body: ModelVersionBody) async throws -> AdministrationReply {
        var reply = try await perform(
            .deleteModel(body.id),
            "Successfully deleted model with name '\(body.id.name)' and version '\(body.id.version)'")
        if let want = await service.catalog.want(ofModel: body.id.name) { reply.body += "; \(want)" }
        return reply
    }

    private func addLinks(_ body: LinksBody) async throws -> AdministrationReply {
        let models = body.models.map { "model with name '\($0)'" }.joined(separator: ", ")
        return try await perform(
            .linkModels(application: body.application, models: body.models),
            "Successfully linked \(models) to application '\(body.application)'")
    }

    private func deleteLinks(_ body: LinksBody) async throws -> AdministrationReply {
        let models = body.models.map { "model with name '\($0)'" }.joined(separator: ", ")
        return try await perform(
            .unlinkModels(application: body.application, models: body.models),
            "Successfully unlinked \(models) from application '\(body.application)'")
    }
}

// MARK: - Replicas

extension AdministrationAPI {
    /// Asked again it changes nothing more, so that whoever waits for the last answer asks until it has come.
    private func drain(_ body: DrainBody) async throws -> AdministrationReply {
        guard let replicas = await observer.drain(body.id, replica: body.replica, body.draining) else {
            let which = body.replica.map { "No replica \($0)" } ?? "No replica"
            throw CatalogError(
                "\(which) of the model \(CatalogNames.quoted(body.id.name)), version "
                    + "\(CatalogNames.quoted(body.id.version)), is connected")
        }
        return try .json(DrainDescription(replicas: replicas.sorted { $0.replica < $1.replica }))
    }
}

// MARK: - Questions

extension AdministrationAPI {
    private func linkedModels(_ body: LinkedModelsBody) async throws -> AdministrationReply {
        try .json(try await registeredApplication(body.application).linkedModels)
    }

    private func allApplications(_ body: ListBody) async throws -> AdministrationReply {
        let applications = await service.catalog.applications.values.sorted { $0.name < $1.name }
        return body.isVerbose
            ? try .json(applications.map(ApplicationDescription.init)) : try .json(applications.map(\.name))
    }

    private func application(_ body: ApplicationNameBody) async throws -> AdministrationReply {
        guard let application = await service.catalog.applications[body.name] else {
            return try .json(NothingDescription())
        }
        return try .json(ApplicationDescription(application))
    }

    private func allModels(_ body: ListBody) async throws -> AdministrationReply {
        let catalog = await service.catalog
        let models = catalog.models.values.sorted {
            ($0.id.name, $0.registration) < ($1.id.name, $1.registration)
        }
        return body.isVerbose
            ? try .json(models.map { ModelDescription($0, isCurrent: catalog.isCurrent($0.id)) })
            : try .json(models.map(\.id.description))
    }

    private func model(_ body: ModelVersionBody) async throws -> AdministrationReply {
        let catalog = await service.catalog
        guard let model = catalog.models[body.id] else { return try .json(NothingDescription()) }
        return try .json(ModelDescription(model, isCurrent: catalog.isCurrent(model.id)))
    }

    private func allContainers(_ body: ListBody) async throws -> AdministrationReply {
        let replicas = await observer.replicas().sorted {
            ($0.modelName, $0.modelVersion, $0.replica) < ($1.modelName, $1.modelVersion, $1.replica)
        }
        return body.isVerbose
            ? try .json(replicas.map(ContainerDescription.init))
            : try .json(replicas.map { "\($0.modelName):\($0.modelVersion):\($0.replica)" })
    }

    private func container(_ body: ContainerBody) async throws -> AdministrationReply {
        let replicas = await observer.replicas()
        let replica = replicas.first {
            $0.modelName == body.id.name && $0.modelVersion == body.id.version && $0.replica == body.replica
        }
        guard let replica else { return try .json(NothingDescription()) }
        return try .json(ContainerDescription(replica))
    }

    private func selectionState(_ body: StateBody) async throws -> AdministrationReply {
        let application = try await registeredApplication(body.application)
        let observed = await observer.selectionState(application: application.name, user: body.user)
        let state: SelectionStateDescription
        if let observed {
            state = observed
        } else if try await registeredApplication(body.application).selection.policy != .standard {
            return .failure(
                503,
                "What application '\(application.name)' has learned is not known: the store cannot be read, as "
                    + "the frontend's log says, or the frontend is stopping")
        } else {
            state = SelectionStateDescription(application, user: body.user, catalog: await service.catalog)
        }
        return body.format == .json
            ? try .json(state) : .text(state.text(shadows: application.selection.shadows))
    }

    private func resetSelectionState(_ body: ResetStateBody) async throws -> AdministrationReply {
        let application = try await registeredApplication(body.application)
        try await observer.resetSelectionState(application: application.name, user: body.user)
        let whose = body.user.map { "user '\($0)' of application" } ?? "application"
        let others = body.user == nil ? " and of its users" : ""
        return .text("Successfully reset the selection state of \(whose) '\(application.name)'\(others)")
    }

    private func registeredApplication(_ name: String) async throws -> Application {
        guard let application = await service.catalog.applications[name] else {
            throw CatalogError("No application with name \(CatalogNames.quoted(name)) exists.")
        }
        return application
    }
}
