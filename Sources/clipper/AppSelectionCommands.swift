import ArgumentParser
import QueryFrontend

extension AppCommand {
    /// `clipper app set-policy`
    struct SetPolicy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set how an application chooses among its models and combines their answers.",
            discussion: """
                It takes effect at once. Another policy begins anew: what was learned before is of no use to it. Names \
                are matched without case, '-' and '_'; parameters that are left out have their defaults.

                \(PolicyText.help)

                EXAMPLE:
                  clipper app set-policy demo 'weighted(old: 90, new: 10)' --loss zero-one
                """)

        @Argument(help: "The application's name.")
        var name: String

        @Argument(
            help: "The policy: NAME or 'NAME(KEY: VALUE, …)'.", completion: .list(PolicyText.names),
            transform: { text in try PolicyText.parse(text) })
        var policy: PolicyDescription

        @OptionGroup var selection: SelectionArguments
        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let request = AdministrationRequest.setOptions(ofApplication: name, selection.options(policy))
                options.report(try await client.change(request))
            }
        }
    }

    /// `clipper app state`
    struct State: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show, or reset, what an application's policy has learned.",
            discussion: """
                `clipper app state APP` shows it, `clipper app state reset APP` forgets it. An application that is \
                named 'show' or 'reset' needs the word 'show' before it.
                """,
            subcommands: [Show.self, Reset.self], defaultSubcommand: Show.self)
    }
}

extension AppCommand.State {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what an application's policy has learned.",
            discussion: """
                Counts are those since the frontend started. A user without a state of their own starts from the \
                application's.
                """)

        @Argument(help: "The application's name.")
        var name: String

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("The user; without it the application itself.", valueName: "uid"))
        var uid: String?

        @Flag(help: "Forget it instead, as `clipper app state reset` does.")
        var reset = false

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                if reset {
                    let request = AdministrationRequest.resetState(ofApplication: name, user: uid)
                    return options.report(try await client.change(request))
                }
                let (state, json) = try await client.selectionState(ofApplication: name, user: uid)
                options.report(json: json, lines: SelectionStateReport.lines(state))
            }
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget what an application's policy has learned.",
            discussion: "With --uid for that user, who starts from the application's state again; without it for all.")

        @Argument(help: "The application's name.")
        var name: String

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("The user; without it the application and all its users.", valueName: "uid"))
        var uid: String?

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.run { client in
                let request = AdministrationRequest.resetState(ofApplication: name, user: uid)
                options.report(try await client.change(request))
            }
        }
    }
}
