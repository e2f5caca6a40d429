import ContainerRPC
import Testing

@testable import QueryFrontend

/// An application for tests, of any parameters that matter there.
func makeApplication(
    _ name: String = "digits", inputType: InputType = .float64, slo: Duration = .milliseconds(100)
) -> Application {
    Application(name: name, inputType: inputType, defaultOutput: "-1.0", latencySLO: slo)
}

/// A version of a model for tests, of any parameters that matter there.
func makeModel(
    _ name: String = "m", version: String = "1", inputType: InputType = .float64, labels: [String] = [],
    batchSize: BatchSize = .adaptive, batching: Batching? = nil, cachesPredictions: Bool = true
) -> Model {
    Model(
        id: ModelVersion(name: name, version: version), inputType: inputType, labels: labels,
        containerName: "NO_CONTAINER", modelDataPath: "DEPRECATED", batching: batching ?? Batching(batchSize),
        cachesPredictions: cachesPredictions)
}

/// The catalog that these changes lead to.
func makeCatalog(_ changes: CatalogChange...) throws -> Catalog {
    var catalog = Catalog()
    for change in changes { try catalog.perform(change) }
    return catalog
}

@Suite("Rules of the catalog: applications")
struct CatalogApplicationTests {
    @Test("A registered application is there, without links")
    func registers() throws {
        let catalog = try makeCatalog(.registerApplication(makeApplication()))
        #expect(catalog.applications["digits"] == makeApplication())
        #expect(catalog.applications["digits"]?.linkedModels == [])
    }

    @Test("An application's name can be taken once")
    func refusesASecondOfTheName() throws {
        let catalog = try makeCatalog(.registerApplication(makeApplication()))
        #expect(throws: CatalogError("application 'digits' already exists")) {
            try catalog.validated(.registerApplication(makeApplication(inputType: .string)))
        }
    }

    @Test("An unknown application cannot be deleted")
    func refusesToDeleteUnknown() {
        #expect(throws: CatalogError("Application 'a' does not exist")) {
            try Catalog().validated(.deleteApplication(name: "a"))
        }
    }

    @Test("A deleted application takes its links along, and its name is free for another type")
    func deletesLinks() throws {
        let catalog = try makeCatalog(
            .registerApplication(makeApplication()), .registerModel(makeModel()),
            .linkModels(application: "digits", models: ["m"]), .deleteApplication(name: "digits"),
            .registerApplication(makeApplication(inputType: .string)))
        #expect(catalog.applications["digits"] == makeApplication(inputType: .string))
        #expect(catalog.applications(linkedTo: "m").isEmpty)
    }

    @Test(
        "A latency objective is positive and at most a day",
        arguments: [.zero, .microseconds(-1), .nanoseconds(999), .seconds(86_401)] as [Duration])
    func refusesSLO(slo: Duration) {
        #expect(throws: CatalogError.self) {
            try Catalog().validated(.registerApplication(makeApplication(slo: slo)))
        }
    }

    @Test(
        "The shortest and the longest latency objective are fine",
        arguments: [.microseconds(1), .seconds(86_400)] as [Duration])
    func acceptsSLO(slo: Duration) throws {
        let catalog = try makeCatalog(.registerApplication(makeApplication(slo: slo)))
        #expect(catalog.applications["digits"]?.latencySLO == slo)
    }

    @Test("A latency objective is kept in whole microseconds, as the store keeps it")
    func truncatesSLO() throws {
        let catalog = try makeCatalog(.registerApplication(makeApplication(slo: .nanoseconds(1999))))
        #expect(catalog.applications["digits"]?.latencySLO == .microseconds(1))
    }

    @Test("A default output may hold line breaks but no NUL")
    func refusesNUL() throws {
        func change(_ output: String) -> CatalogChange {
            .registerApplication(
                Application(name: "a", inputType: .bytes, defaultOutput: output, latencySLO: .seconds(1)))
        }
        #expect(try Catalog().validated(change("a\nb")) == change("a\nb"))
        #expect(throws: CatalogError("default output holds the control character U+0000")) {
            try Catalog().validated(change("a\0b"))
        }
    }
}

@Suite("Rules of the catalog: models")
struct CatalogModelTests {
    @Test("The version registered last is the current one")
    func newestIsCurrent() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel(version: "2")), .registerModel(makeModel(version: "1")))
        #expect(catalog.currentVersions == ["m": "1"])
        #expect(catalog.currentModel(named: "m")?.id.version == "1")
        #expect(catalog.versions(ofModel: "m").map(\.id.version) == ["2", "1"])
    }

    @Test("The number of a registration is given once, also where versions are deleted")
    func countsRegistrations() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel(version: "1")), .registerModel(makeModel(version: "2")),
            .registerModel(makeModel("n")), .deleteModel(ModelVersion(name: "m", version: "1")),
            .registerModel(makeModel(version: "3")))
        #expect(catalog.models.values.map(\.registration).sorted() == [2, 3, 4])
        #expect(catalog.versions(ofModel: "m").map(\.id.version) == ["2", "3"])
    }

    @Test("A version can be registered once")
    func refusesASecondOfTheVersion() throws {
        let catalog = try makeCatalog(.registerModel(makeModel()))
        #expect(throws: CatalogError("model with name 'm' and version '1' already exists")) {
            try catalog.validated(.registerModel(makeModel(inputType: .string)))
        }
    }

    @Test("A fixed batch size is positive", arguments: [0, -2])
    func refusesBatchSize(size: Int) {
        #expect(throws: CatalogError.self) {
            try Catalog().validated(.registerModel(makeModel(batchSize: .fixed(size))))
        }
    }

    @Test(
        "The wire's batch size is -1 or positive",
        arguments: [(-2, nil), (-1, .adaptive), (0, nil), (7, .fixed(7))] as [(Int, BatchSize?)])
    func readsBatchSize(wireValue: Int, expected: BatchSize?) {
        #expect(BatchSize(wireValue: wireValue) == expected)
    }

    @Test("A new version takes what the applications linked to its model send")
    func refusesAnotherInputType() throws {
        let catalog = try makeCatalog(
            .registerApplication(makeApplication()), .registerModel(makeModel()),
            .linkModels(application: "digits", models: ["m"]))
        let error = #expect(throws: CatalogError.self) {
            try catalog.validated(.registerModel(makeModel(version: "2", inputType: .string)))
        }
        #expect(
            error?.message.hasPrefix("Model with name 'm' is already linked to app 'digits' using input type 'doubles'")
                == true)
    }

    @Test("Versions roll back and forward")
    func setsVersion() throws {
        var catalog = try makeCatalog(
            .registerModel(makeModel(version: "1")), .registerModel(makeModel(version: "2")))
        try catalog.perform(.setCurrentVersion(ModelVersion(name: "m", version: "1")))
        #expect(catalog.currentVersions == ["m": "1"])
        try catalog.perform(.setCurrentVersion(ModelVersion(name: "m", version: "2")))
        #expect(catalog.currentVersions == ["m": "2"])
    }

    @Test("Unknown models and versions cannot become current")
    func refusesUnknownVersion() throws {
        let catalog = try makeCatalog(.registerModel(makeModel()))
        #expect(throws: CatalogError("Cannot set version for nonexistent model 'x'")) {
            try catalog.validated(.setCurrentVersion(ModelVersion(name: "x", version: "1")))
        }
        #expect(throws: CatalogError("Cannot set non-existent version '9' for model with name 'm'")) {
            try catalog.validated(.setCurrentVersion(ModelVersion(name: "m", version: "9")))
        }
    }

    @Test("A version of another input type cannot become current while an application is linked")
    func refusesIncompatibleVersion() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel(version: "1", inputType: .string)), .registerModel(makeModel(version: "2")),
            .registerApplication(makeApplication()), .linkModels(application: "digits", models: ["m"]))
        #expect(throws: CatalogError.self) {
            try catalog.validated(.setCurrentVersion(ModelVersion(name: "m", version: "1")))
        }
    }

    @Test("An unknown version cannot be deleted")
    func refusesToDeleteUnknown() {
        #expect(throws: CatalogError("model with name 'm' and version '1' does not exist")) {
            try Catalog().validated(.deleteModel(ModelVersion(name: "m", version: "1")))
        }
    }

    @Test("When the current version is deleted, the newest remaining one takes its place")
    func succeeds() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel(version: "1")), .registerModel(makeModel(version: "2")),
            .registerModel(makeModel(version: "3")), .deleteModel(ModelVersion(name: "m", version: "3")))
        #expect(catalog.currentVersions == ["m": "2"])
    }

    @Test("Deleting another version than the current one leaves that in place")
    func keepsCurrent() throws {
        let catalog = try makeCatalog(
            .registerModel(makeModel(version: "1")), .registerModel(makeModel(version: "2")),
            .setCurrentVersion(ModelVersion(name: "m", version: "1")),
            .deleteModel(ModelVersion(name: "m", version: "2")))
        #expect(catalog.currentVersions == ["m": "1"])
    }

    @Test("A successor fits the linked applications, else the model has no current version")
    func succeedsWithinTheType() throws {
        var catalog = try makeCatalog(
            .registerModel(makeModel(version: "1")), .registerModel(makeModel(version: "2", inputType: .string)),
            .registerModel(makeModel(version: "3")), .registerApplication(makeApplication()),
            .linkModels(application: "digits", models: ["m"]))
        try catalog.perform(.deleteModel(ModelVersion(name: "m", version: "3")))
        #expect(catalog.currentVersions == ["m": "1"])
        try catalog.perform(.deleteModel(ModelVersion(name: "m", version: "1")))
        #expect(catalog.currentVersions.isEmpty)
        #expect(catalog.currentModel(named: "m") == nil)
    }

    /// A model whose one version takes strings, in the way of which an application of doubles stands.
    private func orphaned() throws -> Catalog {
        try makeCatalog(
            .registerModel(makeModel(version: "1", inputType: .string)), .registerModel(makeModel(version: "2")),
            .registerApplication(makeApplication()), .linkModels(application: "digits", models: ["m"]),
            .deleteModel(ModelVersion(name: "m", version: "2")))
    }

    @Test(
        "Once what stood in its way is gone, the newest version that fits becomes current",
        arguments: [
            .deleteApplication(name: "digits"), .unlinkModels(application: "digits", models: ["m"]),
        ] as [CatalogChange])
    func promotes(change: CatalogChange) throws {
        var catalog = try orphaned()
        #expect(catalog.currentVersions.isEmpty)
        let changes = try catalog.perform(change)
        #expect(changes == [change, .setCurrentVersion(ModelVersion(name: "m", version: "1"))])
        #expect(catalog.currentVersions == ["m": "1"])
    }

    @Test("A model that no longer watches an application of other inputs has a current version again")
    func promotesShadow() throws {
        var catalog = try makeCatalog(
            .registerModel(makeModel(version: "1", inputType: .string)), .registerModel(makeModel(version: "2")),
            .registerApplication(makeApplication()),
            .setApplicationOptions(name: "digits", ApplicationOptions(shadows: ["m"])),
            .deleteModel(ModelVersion(name: "m", version: "2")))
        #expect(catalog.currentVersions.isEmpty)
        try catalog.perform(.setApplicationOptions(name: "digits", ApplicationOptions(shadows: [])))
        #expect(catalog.currentVersions == ["m": "1"])
    }

    @Test("A model without a current version in an older store gets one when it is linked")
    func promotesByLink() throws {
        let model = makeModel()
        var catalog = Catalog(applications: ["digits": makeApplication()], models: [model.id: model])
        try catalog.perform(.linkModels(application: "digits", models: ["m"]))
        #expect(catalog.currentVersions == ["m": "1"])
    }

    @Test("A model without a current version takes no link of an application whose inputs another one's exclude")
    func refusesContradiction() throws {
        var catalog = try orphaned()
        let text = makeApplication("text", inputType: .string)
        let error = CatalogError(
            "Model with name 'm' has no current version, and app 'digits', which uses it too, has input_type 'doubles'. "
                + "Requested app to link to has input_type 'strings': no version could fit both.")
        var linked = text
        linked.linkedModels = ["m"]
        #expect(throws: error) { try catalog.validated(.registerApplication(linked)) }
        try catalog.perform(.registerApplication(text))
        #expect(throws: error) { try catalog.validated(.linkModels(application: "text", models: ["m"])) }
        let shadowed = #expect(throws: CatalogError.self) {
            try catalog.validated(.setApplicationOptions(name: "text", ApplicationOptions(shadows: ["m"])))
        }
        #expect(shadowed?.message.contains("'digits', which uses it too, takes 'doubles'") == true)
        // One of the same inputs waits for the same version.
        try catalog.perform(.registerApplication(makeApplication("more")))
        try catalog.perform(.linkModels(application: "more", models: ["m"]))
        try catalog.perform(.registerModel(makeModel(version: "3")))
        #expect(catalog.currentVersions == ["m": "3"])
    }

    @Test("Links outlive the last version of a model, so that it can be registered anew")
    func keepsLinks() throws {
        let catalog = try makeCatalog(
            .registerApplication(makeApplication()), .registerModel(makeModel()),
            .linkModels(application: "digits", models: ["m"]), .deleteModel(ModelVersion(name: "m", version: "1")),
            .registerModel(makeModel()))
        #expect(catalog.applications["digits"]?.linkedModels == ["m"])
        #expect(catalog.currentVersions == ["m": "1"])
    }
}

@Suite("Rules of the catalog: links")
struct CatalogLinkTests {
    private func linkable() throws -> Catalog {
        try makeCatalog(
            .registerApplication(makeApplication()), .registerModel(makeModel("b")), .registerModel(makeModel("a")),
            .registerModel(makeModel("text", inputType: .string)))
    }

    @Test("Several models may be linked, and keep the order of linking")
    func linksSeveral() throws {
        var catalog = try linkable()
        try catalog.perform(.linkModels(application: "digits", models: ["b"]))
        try catalog.perform(.linkModels(application: "digits", models: ["a"]))
        #expect(catalog.applications["digits"]?.linkedModels == ["b", "a"])
    }

    @Test("A model is linked to an application once")
    func refusesDuplicates() throws {
        var catalog = try linkable()
        let twice = CatalogError("The model with name 'a' is named twice")
        #expect(throws: twice) { try catalog.validated(.linkModels(application: "digits", models: ["a", "a"])) }
        try catalog.perform(.linkModels(application: "digits", models: ["a"]))
        #expect(throws: twice) { try catalog.validated(.unlinkModels(application: "digits", models: ["a", "a"])) }
        #expect(throws: CatalogError("The model with name 'a' is already linked to 'digits'")) {
            try catalog.validated(.linkModels(application: "digits", models: ["b", "a"]))
        }
    }

    @Test("Unknown applications and models cannot be linked")
    func refusesUnknown() throws {
        let catalog = try linkable()
        #expect(throws: CatalogError("No app with name 'x' exists.")) {
            try catalog.validated(.linkModels(application: "x", models: ["a"]))
        }
        #expect(throws: CatalogError("No model with name 'x' exists.")) {
            try catalog.validated(.linkModels(application: "digits", models: ["a", "x"]))
        }
    }

    @Test("Input types of application and model agree")
    func refusesAnotherType() throws {
        let catalog = try linkable()
        let message =
            "Model with name 'text' has incompatible input_type 'strings'. "
            + "Requested app to link to has input_type 'doubles'."
        #expect(throws: CatalogError(message)) {
            try catalog.validated(.linkModels(application: "digits", models: ["text"]))
        }
    }

    @Test("A list of models to link or unlink is not empty")
    func refusesNoModels() throws {
        let catalog = try linkable()
        #expect(throws: CatalogError.self) { try catalog.validated(.linkModels(application: "digits", models: [])) }
        #expect(throws: CatalogError.self) { try catalog.validated(.unlinkModels(application: "digits", models: [])) }
    }

    @Test("A removed link leaves the others in their order")
    func unlinks() throws {
        var catalog = try linkable()
        try catalog.perform(.linkModels(application: "digits", models: ["b", "a"]))
        try catalog.perform(.unlinkModels(application: "digits", models: ["b"]))
        #expect(catalog.applications["digits"]?.linkedModels == ["a"])
    }

    @Test("A link that is not there cannot be removed")
    func refusesToUnlink() throws {
        let catalog = try linkable()
        #expect(throws: CatalogError("Cannot remove nonexistent link between app 'digits' and model 'a'")) {
            try catalog.validated(.unlinkModels(application: "digits", models: ["a"]))
        }
        #expect(throws: CatalogError("No app with name 'x' exists.")) {
            try catalog.validated(.unlinkModels(application: "x", models: ["a"]))
        }
    }
}
