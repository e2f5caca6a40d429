import ContainerRPC
import Testing

@testable import QueryFrontend

/// An application that selects in this way.
private func makeApplication(_ name: String = "digits", selection: SelectionSettings) -> Application {
    Application(
        name: name, inputType: .float64, defaultOutput: "-1.0", latencySLO: .milliseconds(100), selection: selection)
}

/// Policies of a test: `first`, and `share`, which takes one parameter.
private var policies: SelectionPolicies {
    var policies = SelectionPolicies()
    policies.add(PolicyDescription.standard.name) { parameters throws(SelectionPolicies.Problem) in
        try parameters.refuseNames(except: [])
        return AskFirst()
    }
    policies.add("epsilonShare") { parameters throws(SelectionPolicies.Problem) in
        try parameters.refuseNames(except: ["share"])
        _ = try parameters.number("share", default: 0.5, in: 0...1)
        return AskFirst()
    }
    return policies
}

private struct AskFirst: SelectionPolicy {
    func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(0)
    }
}

@Suite("Rules of the catalog: selection")
struct CatalogSelectionTests {
    @Test("An application selects as Clipper's do unless it says otherwise")
    func defaults() throws {
        let catalog = try makeCatalog(.registerApplication(QueryFrontendTests.makeApplication()))
        #expect(catalog.applications["digits"]?.selection == SelectionSettings())
        #expect(SelectionSettings().isStandard)
    }

    @Test("An application is registered with its selection, and shadows need not be linked")
    func registers() throws {
        let selection = SelectionSettings(
            policy: PolicyDescription("weighted", ["m": .number(90), "n": .number(10), "key": .text("x")]),
            loss: .squared, minConfidence: 0.5, shadows: ["n"])
        let catalog = try makeCatalog(
            .registerModel(makeModel()), .registerModel(makeModel("n")),
            .registerApplication(makeApplication(selection: selection)),
            .linkModels(application: "digits", models: ["m"]))
        #expect(catalog.applications["digits"]?.selection == selection)
        #expect(catalog.applications["digits"]?.linkedModels == ["m"])
    }

    @Test("A policy that names a model that is not there is refused, once the application is linked")
    func misspeltModel() throws {
        let change = CatalogChange.setApplicationOptions(
            name: "digits",
            ApplicationOptions(policy: PolicyDescription("weighted", ["m": .number(90), "mm": .number(10)])))
        let registered = try makeCatalog(
            .registerModel(makeModel()), .registerApplication(QueryFrontendTests.makeApplication()))
        _ = try SelectionPolicies.standard.checked(change, in: registered)
        let linked = try makeCatalog(
            .registerModel(makeModel()), .registerApplication(QueryFrontendTests.makeApplication()),
            .linkModels(application: "digits", models: ["m"]))
        #expect(
            throws: CatalogError(
                "policy 'weighted': no model with name 'mm' exists; the application 'digits' would be linked to: m")
        ) { try SelectionPolicies.standard.checked(change, in: linked) }
    }

    @Test("So is it when the application is linked, or registered with links")
    func misspeltModelBeforeLinks() throws {
        let selection = SelectionSettings(policy: PolicyDescription("weighted", ["m": .number(90), "mm": .number(10)]))
        let registered = try makeCatalog(
            .registerModel(makeModel()), .registerApplication(makeApplication(selection: selection)))
        var linked = makeApplication("other", selection: selection)
        linked.linkedModels = ["m"]
        for change in [CatalogChange.linkModels(application: "digits", models: ["m"]), .registerApplication(linked)] {
            let error = #expect(throws: CatalogError.self) {
                try SelectionPolicies.standard.checked(change, in: registered)
            }
            #expect(error?.message.hasPrefix("policy 'weighted': no model with name 'mm' exists") == true)
        }
        let complete = try makeCatalog(
            .registerModel(makeModel()), .registerModel(makeModel("mm")),
            .registerApplication(makeApplication(selection: selection)))
        _ = try SelectionPolicies.standard.checked(.linkModels(application: "digits", models: ["m"]), in: complete)
    }

    @Test("Options of selection are changed one by one")
    func changes() throws {
        var catalog = try makeCatalog(
            .registerModel(makeModel()), .registerApplication(QueryFrontendTests.makeApplication()))
        let changes = [
            ApplicationOptions(policy: PolicyDescription("exp3")), ApplicationOptions(loss: .log),
            ApplicationOptions(minConfidence: 1), ApplicationOptions(shadows: ["m"]),
            ApplicationOptions(overload: .reject),
        ]
        for options in changes { try catalog.perform(.setApplicationOptions(name: "digits", options)) }
        let application = try #require(catalog.applications["digits"])
        #expect(
            application.selection
                == SelectionSettings(
                    policy: PolicyDescription("exp3"), loss: .log, minConfidence: 1, shadows: ["m"]))
        #expect(application.overload == .reject)
        try catalog.perform(.setApplicationOptions(name: "digits", ApplicationOptions(shadows: [])))
        #expect(catalog.applications["digits"]?.selection.shadows == [])
        #expect(catalog.applications["digits"]?.selection.loss == .log)
    }

    @Test("Of the models that an application is linked to one at least is no shadow")
    func leavesOneToAnswer() throws {
        let base: [CatalogChange] = [.registerModel(makeModel()), .registerModel(makeModel("n"))]
        let watched = makeApplication(selection: SelectionSettings(shadows: ["m"]))
        func error(_ changes: [CatalogChange], _ last: CatalogChange) -> CatalogError? {
            #expect(throws: CatalogError.self) {
                var catalog = Catalog()
                for change in base + changes { try catalog.perform(change) }
                try catalog.perform(last)
            }
        }
        let link = CatalogChange.linkModels(application: "digits", models: ["m"])
        let linkBoth = CatalogChange.linkModels(application: "digits", models: ["m", "n"])
        let shadow = CatalogChange.setApplicationOptions(name: "digits", ApplicationOptions(shadows: ["m"]))
        let plain = CatalogChange.registerApplication(makeApplication(selection: SelectionSettings()))
        let refused = [
            error([plain, link], shadow),
            error([.registerApplication(watched)], link),
            error(
                [.registerApplication(watched), linkBoth],
                .unlinkModels(application: "digits", models: ["n"])),
        ]
        for refusal in refused {
            #expect(refusal?.message.hasPrefix("No model would be left to answer: all that the application") == true)
        }
        // Without links it is being set up.
        let catalog = try makeCatalog(
            base[0], base[1], .registerApplication(watched), linkBoth,
            .unlinkModels(application: "digits", models: ["m", "n"]))
        #expect(catalog.applications["digits"]?.linkedModels == [])
        // What an earlier version has let through can still be changed.
        let all = try makeCatalog(base[0], plain, link)
        var application = try #require(all.applications["digits"])
        application.selection.shadows = ["m"]
        var stored = Catalog(
            applications: ["digits": application], models: all.models, currentVersions: all.currentVersions)
        try stored.perform(.setApplicationOptions(name: "digits", ApplicationOptions(loss: .log)))
        #expect(stored.applications["digits"]?.selection.loss == .log)
    }

    @Test("A query that names a version goes to the first linked model that is no shadow")
    func versionOfAnsweringModel() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel()), .registerModel(makeModel("n", version: "2")),
            .registerApplication(makeApplication(selection: SelectionSettings(shadows: ["m"]))),
            .linkModels(application: "digits", models: ["m", "n"]))
        let route = Routes(catalog, handles: Handles())[application: "digits"]
        #expect(route?.modelName == "n")
        #expect(route?.versions.keys.sorted() == ["2"])
    }

    @Test("A shadow's name is kept as it was registered")
    func spellsShadows() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel("caf\u{E9}")),
            .registerApplication(makeApplication(selection: SelectionSettings(shadows: ["cafe\u{301}"]))))
        let shadow = try #require(catalog.applications["digits"]?.selection.shadows.first)
        #expect(Array(shadow.utf8) == Array("caf\u{E9}".utf8))
    }

    @Test(
        "A shadow is a registered model of the application's input type, named once",
        arguments: [
            (["x"], "shadow: no model with name 'x' exists; these are: m, text"),
            (["m", "m"], "shadow: the model 'm' is named twice"),
            ([""], "shadow: no model with name '' exists; these are: m, text"),
            (["text"], "shadow: the model 'text' takes 'strings', but the application 'digits' takes 'doubles'"),
        ])
    func refusesShadows(shadows: [String], message: String) throws {
        var catalog = try makeCatalog(
            .registerModel(makeModel()), .registerModel(makeModel("text", inputType: .string)))
        let application = makeApplication(selection: SelectionSettings(shadows: shadows))
        #expect(throws: CatalogError(message)) { try catalog.validated(.registerApplication(application)) }
        try catalog.perform(.registerApplication(QueryFrontendTests.makeApplication()))
        #expect(throws: CatalogError(message)) {
            try catalog.validated(.setApplicationOptions(name: "digits", ApplicationOptions(shadows: shadows)))
        }
    }

    @Test("A version of another input type cannot become current while an application has the model as a shadow")
    func keepsShadowsUsable() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel()),
            .registerApplication(makeApplication(selection: SelectionSettings(shadows: ["m"]))))
        let error = #expect(throws: CatalogError.self) {
            try catalog.validated(.registerModel(makeModel(version: "2", inputType: .string)))
        }
        #expect(error?.message.contains("is already a shadow of app 'digits'") == true, "\(String(describing: error))")
    }

    @Test("A shadow whose last version is gone stays, and other options can be changed")
    func outlivesModels() throws {
        var catalog = try makeCatalog(
            .registerModel(makeModel()),
            .registerApplication(makeApplication(selection: SelectionSettings(shadows: ["m"]))),
            .deleteModel(ModelVersion(name: "m", version: "1")))
        try catalog.perform(.setApplicationOptions(name: "digits", ApplicationOptions(loss: .log)))
        #expect(catalog.applications["digits"]?.selection == SelectionSettings(loss: .log, shadows: ["m"]))
    }

    @Test("A least confidence is 0 to 1", arguments: [-0.1, 1.01, .nan, .infinity])
    func refusesConfidence(value: Double) throws {
        let catalog = try makeCatalog(.registerApplication(QueryFrontendTests.makeApplication()))
        let error = #expect(throws: CatalogError.self) {
            try catalog.validated(
                .setApplicationOptions(name: "digits", ApplicationOptions(minConfidence: value)))
        }
        #expect(error?.message.hasPrefix("min_confidence must be 0 to 1") == true)
    }

    @Test(
        "A policy's name and parameters can be kept and shown",
        arguments: [
            PolicyDescription(""), PolicyDescription("a\nb"), PolicyDescription("p", ["k": .number(.nan)]),
            PolicyDescription("p", ["k": .number(.infinity)]), PolicyDescription("p", ["k": .text("\u{0}")]),
            PolicyDescription("p", ["\u{7}": .number(1)]),
            PolicyDescription("p", [String(repeating: "k", count: 257): .number(1)]),
        ])
    func refusesPolicies(policy: PolicyDescription) {
        let application = makeApplication(selection: SelectionSettings(policy: policy))
        #expect(throws: CatalogError.self) { try Catalog().validated(.registerApplication(application)) }
    }
}

@Suite("The owner of the catalog: policies")
struct CatalogServicePolicyTests {
    private func makeService(_ store: any CatalogStore) throws -> CatalogService {
        try CatalogService(store: store, policies: policies) { _ in }
    }

    @Test("A policy is kept under the name that it was added with", arguments: ["epsilonShare", "EPSILON-share"])
    func spellsPolicies(name: String) async throws {
        let store = try SQLiteCatalogStore(path: ":memory:")
        let service = try makeService(store)
        let policy = PolicyDescription(name, ["share": .number(0.25)])
        try await service.perform(.registerApplication(makeApplication(selection: SelectionSettings(policy: policy))))
        try await service.perform(.registerApplication(QueryFrontendTests.makeApplication("b")))
        try await service.perform(.setApplicationOptions(name: "b", ApplicationOptions(policy: policy)))
        for application in ["digits", "b"] {
            #expect(
                try store.load().applications[application]?.selection.policy
                    == PolicyDescription("epsilonShare", ["share": .number(0.25)]))
        }
        #expect(await service.catalog == (try store.load()))
    }

    @Test(
        "A policy that there is not, and parameters that it does not take, are refused, and nothing is stored",
        arguments: [
            (
                PolicyDescription("best"),
                "policy: 'best' is no policy; these are: DefaultOutputSelectionPolicy, epsilonShare"
            ),
            (
                PolicyDescription("epsilonshare", ["shar": .number(1)]),
                "policy 'epsilonShare' has no parameter 'shar'; it takes share"
            ),
            (
                PolicyDescription("epsilonShare", ["share": .number(2)]),
                "policy 'epsilonShare': 'share' must be 0.0 to 1.0; 2.0 was given"
            ),
        ])
    func refuses(policy: PolicyDescription, message: String) async throws {
        let store = try SQLiteCatalogStore(path: ":memory:")
        let service = try makeService(store)
        try await service.perform(.registerApplication(QueryFrontendTests.makeApplication("a")))
        let before = try store.load()
        await #expect(throws: CatalogError(message)) {
            try await service.perform(
                .registerApplication(makeApplication(selection: SelectionSettings(policy: policy))))
        }
        await #expect(throws: CatalogError(message)) {
            try await service.perform(.setApplicationOptions(name: "a", ApplicationOptions(policy: policy)))
        }
        #expect(try store.load() == before)
    }

    @Test("A frontend without a stored application's policy does not start, and says which")
    func refusesUnknownAtStart() throws {
        let store = try SQLiteCatalogStore(path: ":memory:")
        let selection = SelectionSettings(policy: PolicyDescription("mine", ["k": .number(1)]))
        try store.save([.registerApplication(makeApplication(selection: selection))])
        let error = #expect(throws: CatalogStoreError.self) { try makeService(store) }
        #expect(error?.kind == .unknownPolicy)
        for words in ["'digits'", "'mine(k: 1)'", "DefaultOutputSelectionPolicy, epsilonShare"] {
            #expect(error?.message.contains(words) == true, "\(words) in \(String(describing: error))")
        }
    }
}
