import ArgumentParser
import ContainerRPC
import QueryFrontend

/// `clipper app`
struct AppCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app",
        abstract: "Register applications and link them to models.",
        discussion: """
            An application is a REST endpoint. Its queries go to the current versions of the models that are linked \
            to it; those that no model answers within the latency objective get the default output.
            """,
        subcommands: [
            Register.self, List.self, Show.self, SetOptions.self, SetPolicy.self, State.self, Link.self, Unlink.self,
            Delete.self,
        ])
}

extension AppCommand {
    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register an application.",
            discussion: """
                \(PolicyText.help)

                EXAMPLE:
                  clipper app register demo --input-type doubles --default-output -1.0 \\
                      --slo 20ms --link a b --policy exp3 --loss zero-one --min-confidence 60%
                """)

        @Argument(help: "The application's name; it becomes a part of its URL, /NAME/predict.")
        var name: String

        @Option(
            help: ArgumentHelp(
                "What its inputs are: \(InputTypeText.names.joined(separator: ", ")).", valueName: "type"),
            completion: .list(InputTypeText.names), transform: { text in try InputTypeText.parse(text) })
        var inputType: InputType

        // Without this a default such as -1.0 would count as an option.
        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("The output for queries that no model answers in time.", valueName: "output"))
        var defaultOutput: String

        @Option(
            name: .customLong("slo"),
            help: ArgumentHelp("The latency objective: 100ms, 1s, 0.5s, 20000us.", valueName: "duration"),
            transform: { text in try DurationText.parse(text) })
        var latencySLO: Duration

        @Option(
            name: .customLong("link"), parsing: .upToNextOption,
            help: ArgumentHelp(
                "Registered models to link; the first that has a replica answers. Where one cannot be linked, nothing is "
                    + "registered.", valueName: "model"))
        var models: [String] = []

        @OptionGroup var settings: ApplicationOptionArguments
        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let request = AdministrationRequest.registerApplication(
                    name: name, inputType: inputType, defaultOutput: defaultOutput, latencySLO: latencySLO,
                    options: settings.options, models: models)
                do {
                    options.report(try await client.change(request))
                } catch var failure as CommandFailure {
                    if case .refused = failure.cause, !models.isEmpty {
                        failure.advice =
                            failure.advice
                            ?? "This command has registered nothing; `clipper model list` lists the models."
                    }
                    throw failure
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the applications.")

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let (applications, json) = try await client.applications()
                options.report(
                    json: json, lines: applications.isEmpty ? [] : CatalogTables.applications(applications).lines)
                if applications.isEmpty, !options.json {
                    Terminal.note("no applications; `clipper app register` adds one")
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one application.")

        @Argument(help: "The application's name.")
        var name: String

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let (application, json) = try await client.application(name)
                options.report(json: json, lines: CatalogTables.fields(application))
            }
        }
    }

    struct SetOptions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Change how an application's queries are handled.",
            discussion: """
                What is not named stays as it is; --hedge sets all of hedging, with defaults for what is left out. \
                It takes effect at once, for the queries that come from then on.

                The input type is that of the registration: for another one, register another application.
                """)

        @Argument(help: "The application's name.")
        var name: String

        @Option(
            name: .customLong("slo"),
            help: ArgumentHelp("The latency objective: 100ms, 1s, 0.5s, 20000us.", valueName: "duration"),
            transform: { text in try DurationText.parse(text) })
        var latencySLO: Duration?

        // Without this a default such as -1.0 would count as an option.
        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("The output for queries that no model answers in time.", valueName: "output"))
        var defaultOutput: String?

        @OptionGroup var settings: ApplicationOptionArguments
        @OptionGroup var options: AdministrationOptions

        /// What was given.
        var changes: ApplicationOptions {
            var changes = settings.options
            changes.latencySLO = latencySLO
            changes.defaultOutput = defaultOutput
            return changes
        }

        func validate() throws {
            guard changes != ApplicationOptions() else {
                throw ValidationError(
                    "There is nothing to set; name --slo, --default-output, --overload, --hedge, --no-hedge, --policy, "
                        + "--loss, --min-confidence, --shadow or --no-shadow.")
            }
        }

        func run() async throws {
            try await options.run { client in
                options.report(try await client.change(AdministrationRequest.setOptions(ofApplication: name, changes)))
            }
        }
    }

    struct Link: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Link models to an application.",
            discussion: """
                The first linked model that has a replica answers the application's queries, unless \
                `clipper app set-policy` says otherwise.
                """)

        @Argument(help: "The application's name.")
        var name: String

        @Argument(help: ArgumentHelp("The models' names, without versions.", valueName: "model"))
        var models: [String]

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let request = AdministrationRequest.link(application: name, models: models)
                options.report(try await client.change(request))
            }
        }
    }

    struct Unlink: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove links of models to an application.")

        @Argument(help: "The application's name.")
        var name: String

        @Argument(help: ArgumentHelp("The models' names, without versions.", valueName: "model"))
        var models: [String]

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let request = AdministrationRequest.unlink(application: name, models: models)
                options.report(try await client.change(request))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an application and its links.", discussion: "Its models stay.")

        @Argument(help: "The application's name.")
        var name: String

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                options.report(try await client.change(AdministrationRequest.deleteApplication(name: name)))
            }
        }
    }
}
