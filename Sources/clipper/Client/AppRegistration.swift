import ContainerRPC
import QueryFrontend

/// An application to register, with its links: two requests of which the second may be refused.
struct AppRegistration {
    var name: String
    var inputType: InputType
    var defaultOutput: String
    var latencySLO: Duration
    var options = ApplicationOptions()
    /// The models to link.
    var models: [String] = []

    /// The first name that is there twice.
    static func named(twiceIn names: [String]) -> String? {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted }
    }

    /// What the frontend would say against the links once the application was there: told before anything is done.
    ///
    /// - Parameter known: the registered versions of all models.
    func problem(with known: [RegisteredModel]) -> CommandFailure? {
        guard !models.isEmpty else { return nil }
        let names = Set(known.map(\.name))
        let named = (models + namedByPolicy).first { !names.contains($0) }
        if let missing = named {
            let whose = models.contains(missing) ? "" : ", which the policy names"
            return refusal(
                "no model is named '\(missing)'\(whose)",
                advice: "`clipper model list` lists the models, `clipper model register` adds one.")
        }
        for model in known where model.isCurrent && models.contains(model.name) {
            // A frontend may have types of its own, and names that are not this program's.
            guard let type = InputType(name: model.inputType), type != inputType else { continue }
            return refusal(
                "the model '\(model.name)' takes \(type.name), and the application \(inputType.name)",
                advice: "--input-type must be that of its models.")
        }
        return nil
    }

    /// The models that the policy's parameters name; none of a policy of the frontend's own, which only it knows.
    private var namedByPolicy: [String] {
        guard let description = options.policy else { return [] }
        return (try? SelectionPolicies.standard.policy(for: description))?.namedModels ?? []
    }

    private func refusal(_ what: String, advice: String) -> CommandFailure {
        CommandFailure(
            cause: .refused(status: nil), message: "\(what); application '\(name)' was not registered", advice: advice)
    }

    /// Registers the application and links it. What cannot be linked leaves no application behind.
    ///
    /// - Returns: the frontend's words.
    /// - Throws: ``CommandFailure``.
    func carryOut(by client: AdministrationClient) async throws -> [String] {
        if !models.isEmpty, let problem = problem(with: try await client.models().models) { throw problem }
        let registered = try await client.change(
            AdministrationRequest.registerApplication(
                name: name, inputType: inputType, defaultOutput: defaultOutput, latencySLO: latencySLO,
                options: options))
        guard !models.isEmpty else { return [registered] }
        do {
            return [
                registered, try await client.change(AdministrationRequest.link(application: name, models: models)),
            ]
        } catch let failure as CommandFailure {
            throw await undone(after: failure, by: client)
        }
    }

    /// The failure once the application is deleted again, so that the corrected command finds nothing in its way.
    private func undone(after failure: CommandFailure, by client: AdministrationClient) async -> CommandFailure {
        var failure = failure
        do {
            _ = try await client.change(AdministrationRequest.deleteApplication(name: name))
            failure.message += "; application '\(name)' was registered before that, and has been deleted again"
        } catch {
            failure = failure.after("application '\(name)' was registered")
            failure.advice =
                "The application is still there: `clipper app link` links it, `clipper app delete` deletes it."
        }
        return failure
    }
}
