import ArgumentParser
import ContainerRPC
import QueryFrontend

/// `clipper model`
struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Register versions of models and choose which one is current.",
        discussion: """
            A version of a model is served by the containers that connect to the frontend under its name and version. \
            Queries go to the current version.
            """,
        subcommands: [Register.self, List.self, Show.self, SetVersion.self, Drain.self, Delete.self])
}

/// The arguments that name one version of a model.
struct ModelVersionArguments: ParsableArguments {
    @Argument(help: "The model's name.")
    var name: String

    @Argument(help: ArgumentHelp("The model's version.", valueName: "version"))
    var modelVersion: String

    /// The two as one.
    var id: ModelVersion { ModelVersion(name: name, version: modelVersion) }
}

extension ModelCommand {
    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a version of a model; it becomes the current one.",
            discussion: "Its options and labels are its own: nothing is taken over from the version before.")

        @OptionGroup var model: ModelVersionArguments

        @Option(
            help: ArgumentHelp(
                "What its inputs are: \(InputTypeText.names.joined(separator: ", ")).", valueName: "type"),
            completion: .list(InputTypeText.names), transform: { text in try InputTypeText.parse(text) })
        var inputType: InputType

        @OptionGroup var batching: BatchingArguments

        @Flag(
            inversion: .prefixedNo,
            help: "Keep outputs and answer equal inputs with them; not for a model that is no function of its input.")
        var cache = true

        @Option(
            name: .customLong("label"), parsing: .upToNextOption,
            help: ArgumentHelp("Labels, for whoever lists the models.", valueName: "label"))
        var labels: [String] = []

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let request = AdministrationRequest.registerModel(
                    model.id, inputType: inputType, batching: batching.value, cachesPredictions: cache, labels: labels)
                // Where the frontend does not tell, there is no advice.
                let before = try? await client.models().models.first { $0.name == model.name && $0.isCurrent }
                let message = try await client.change(request)
                let left = before.map { LeftOptions(of: $0, beside: batching.value, cache: cache, labels: labels) }
                options.report(message, advice: left?.advice(for: model.id))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the versions of all models.")

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let (models, json) = try await client.models()
                options.report(json: json, lines: models.isEmpty ? [] : CatalogTables.models(models).lines)
                if models.isEmpty, !options.json {
                    Terminal.note("no models; `clipper model register` adds one")
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one version of a model.")

        @OptionGroup var model: ModelVersionArguments
        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let (registered, json) = try await client.model(model.id)
                options.report(json: json, lines: CatalogTables.fields(registered))
            }
        }
    }

    struct SetVersion: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a registered version the current one, to roll forward or back.")

        @OptionGroup var model: ModelVersionArguments
        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                options.report(try await client.change(AdministrationRequest.setCurrentVersion(model.id)))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a version of a model; its containers stay connected and get nothing.",
            discussion: """
                Where it was the current one, the newest version that is left takes its place, also one that was rolled \
                back: set the version that is to serve before. Where none is left that takes what the applications send, \
                these stay linked to the model's name, and are served again once it has such a version.
                """)

        @OptionGroup var model: ModelVersionArguments
        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                options.report(try await client.change(AdministrationRequest.deleteModel(model.id)))
            }
        }
    }
}
