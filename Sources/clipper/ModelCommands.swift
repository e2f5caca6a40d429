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
        subcommands: [Register.self, List.self, Show.self, SetOptions.self, SetVersion.self, Drain.self, Delete.self])
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
            discussion: """
                Its options and labels are its own: nothing is taken over from the version before. Without options it has \
                \(BatchingArguments.defaults), and --cache. `clipper model set` changes them later.
                """)

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

    struct SetOptions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Change how batches for a version of a model are formed, its cache and its labels.",
            discussion: """
                What is not named stays as it is. It takes effect at once, for the batches that are formed and the queries \
                that come from then on; containers stay connected, and what was learned of their latencies stays.

                The input type is that of the registration: for another one, register another version.
                """)

        @OptionGroup var model: ModelVersionArguments
        @OptionGroup var batching: BatchingArguments

        @Flag(
            inversion: .prefixedNo,
            help: "Keep outputs and answer equal inputs with them; not for a model that is no function of its input.")
        var cache: Bool?

        @Option(
            name: .customLong("label"), parsing: .upToNextOption,
            help: ArgumentHelp("Labels, instead of those that it has.", valueName: "label"))
        var labels: [String] = []

        @Flag(help: "Take all labels away.")
        var noLabels = false

        @OptionGroup var options: AdministrationOptions

        /// What was given.
        var changes: ModelOptions {
            var changes = batching.options
            changes.cachesPredictions = cache
            changes.labels = noLabels ? [] : labels.isEmpty ? nil : labels
            return changes
        }

        func validate() throws {
            guard labels.isEmpty || !noLabels else {
                throw ValidationError("--label and --no-labels contradict each other; leave one of them out.")
            }
            guard changes != ModelOptions() else {
                throw ValidationError(
                    "There is nothing to set; name --batch-size, --batching, --max-delay, --max-batch, --cache, --no-cache, "
                        + "--label or --no-labels.")
            }
        }

        func run() async throws {
            try await options.run { client in
                options.report(try await client.change(AdministrationRequest.setOptions(of: model.id, changes)))
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
