import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Rules of the catalog: options of applications")
struct CatalogOptionsTests {
    @Test("An application answers overload with its default, and is not hedged, unless it says otherwise")
    func defaults() throws {
        let catalog = try makeCatalog(.registerApplication(makeApplication()))
        #expect(catalog.applications["digits"]?.overload == .defaultOutput)
        #expect(catalog.applications["digits"]?.hedging == nil)
    }

    @Test("An application is registered with its options")
    func registers() throws {
        let application = Application(
            name: "a", inputType: .bytes, defaultOutput: "", latencySLO: .seconds(1), overload: .reject,
            hedging: Hedging(quantile: 0.9, maxExtraWork: 0.1))
        #expect(try makeCatalog(.registerApplication(application)).applications["a"] == application)
    }

    @Test("What is not given stays as it is")
    func keepsTheRest() throws {
        let hedging = Hedging(quantile: 0.9, maxExtraWork: 0.1)
        var catalog = try makeCatalog(
            .registerApplication(makeApplication()), .registerModel(makeModel()),
            .linkModels(application: "digits", models: ["m"]),
            .setApplicationOptions(name: "digits", ApplicationOptions(overload: .reject)),
            .setApplicationOptions(name: "digits", ApplicationOptions(hedging: .on(hedging))))
        #expect(catalog.applications["digits"]?.overload == .reject)
        #expect(catalog.applications["digits"]?.hedging == hedging)
        #expect(catalog.applications["digits"]?.linkedModels == ["m"])
        try catalog.perform(.setApplicationOptions(name: "digits", ApplicationOptions(hedging: .off)))
        #expect(catalog.applications["digits"]?.overload == .reject)
        #expect(catalog.applications["digits"]?.hedging == nil)
    }

    @Test("A change that is carried out holds every option, and the name as it was registered")
    func completes() throws {
        let catalog = try makeCatalog(.registerApplication(makeApplication("caf\u{E9}")))
        let change = try catalog.validated(
            .setApplicationOptions(name: "cafe\u{301}", ApplicationOptions(overload: .reject)))
        guard case .setApplicationOptions(let name, let options) = change else {
            Issue.record("another change came back: \(change)")
            return
        }
        #expect(Array(name.utf8) == Array("caf\u{E9}".utf8))
        #expect(
            options
                == ApplicationOptions(
                    latencySLO: .milliseconds(100), defaultOutput: "-1.0", overload: .reject, hedging: .off,
                    policy: .standard, loss: .zeroOne, minConfidence: 0,
                    shadows: []))
    }

    @Test("Latency objective and default output can be set anew, and the rest stays")
    func setsObjective() throws {
        let catalog = try makeCatalog(
            .registerApplication(makeApplication()), .registerModel(makeModel()),
            .linkModels(application: "digits", models: ["m"]),
            .setApplicationOptions(name: "digits", ApplicationOptions(policy: PolicyDescription("exp3"))),
            .setApplicationOptions(name: "digits", ApplicationOptions(latencySLO: .nanoseconds(2_000_999))),
            .setApplicationOptions(name: "digits", ApplicationOptions(defaultOutput: "none")))
        let application = catalog.applications["digits"]
        #expect(application?.latencySLO == .microseconds(2_000))
        #expect(application?.defaultOutput == "none")
        #expect(application?.linkedModels == ["m"])
        #expect(application?.selection.policy == PolicyDescription("exp3"))
    }

    @Test("What is set anew has the bounds of a registration")
    func boundsObjective() throws {
        let catalog = try makeCatalog(.registerApplication(makeApplication()))
        for options in [
            ApplicationOptions(latencySLO: .zero), ApplicationOptions(latencySLO: .seconds(86_401)),
            ApplicationOptions(defaultOutput: "a\0b"),
        ] {
            #expect(throws: CatalogError.self) {
                try catalog.validated(.setApplicationOptions(name: "digits", options))
            }
        }
    }

    @Test("Options of an unknown application cannot be set")
    func refusesUnknown() {
        #expect(throws: CatalogError("No app with name 'x' exists.")) {
            try Catalog().validated(.setApplicationOptions(name: "x", ApplicationOptions(overload: .reject)))
        }
    }

    @Test(
        "A quantile lies between 0 and 1, and a budget is a share of all work",
        arguments: [
            Hedging(quantile: 0), Hedging(quantile: 1), Hedging(quantile: .nan), Hedging(quantile: -0.5),
            Hedging(maxExtraWork: 0), Hedging(maxExtraWork: 1.01), Hedging(maxExtraWork: .nan),
        ])
    func refusesHedging(hedging: Hedging) throws {
        let application = Application(
            name: "a", inputType: .bytes, defaultOutput: "", latencySLO: .seconds(1), hedging: hedging)
        #expect(throws: CatalogError.self) { try Catalog().validated(.registerApplication(application)) }
        let catalog = try makeCatalog(.registerApplication(makeApplication()))
        #expect(throws: CatalogError.self) {
            try catalog.validated(
                .setApplicationOptions(name: "digits", ApplicationOptions(hedging: .on(hedging))))
        }
    }
}
