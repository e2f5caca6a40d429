import ArgumentParser
import QueryFrontend
import Testing

@testable import clipper

@Suite("Selection policies on the command line")
struct PolicyTextTests {
    @Test(
        "A policy is read with its parameters, numbers as numbers",
        arguments: [
            ("exp3", PolicyDescription("exp3")), (" ucb1 ", PolicyDescription("ucb1")),
            ("exp3()", PolicyDescription("exp3")), ("exp3( )", PolicyDescription("exp3")),
            ("weighted(a: 90, b: 10)", PolicyDescription("weighted", ["a": .number(90), "b": .number(10)])),
            ("weighted(a=90,b=10)", PolicyDescription("weighted", ["a": .number(90), "b": .number(10)])),
            ("weighted (a:90)", PolicyDescription("weighted", ["a": .number(90)])),
            ("epsilonGreedy(epsilon: 5e-2)", PolicyDescription("epsilonGreedy", ["epsilon": .number(0.05)])),
            ("mine(how: fast, x: -1)", PolicyDescription("mine", ["how": .text("fast"), "x": .number(-1)])),
            (#"mine(a: "1", b: "x, y")"#, PolicyDescription("mine", ["a": .text("1"), "b": .text("x, y")])),
            ("weighted(a=b: 5, c (d): 95)", PolicyDescription("weighted", ["a=b": .number(5), "c (d)": .number(95)])),
            (
                "mine(a: nan, b: 0x10, c: 1e999)",
                PolicyDescription("mine", ["a": .text("nan"), "b": .text("0x10"), "c": .text("1e999")])
            ),
        ])
    func parses(text: String, policy: PolicyDescription) throws {
        #expect(try PolicyText.parse(text) == policy)
    }

    @Test(
        "What is no policy is refused, with what is wrong",
        arguments: [
            ("", "is expected"), ("(a: 1)", "is expected"), ("a, b", "is expected"), ("a:1", "is expected"),
            ("weighted(a: 90", "')' is missing"), ("weighted(a: 90) x", "')' is missing"),
            ("weighted(90)", "'90' is no parameter"), ("weighted(a: 90,)", "'' is no parameter"),
            ("weighted(: 90)", "has no name"), ("weighted(a: )", "'a' has no value"),
            ("weighted(a: 1, a: 2)", "'a' is given twice"), (#"mine(a: "x)"#, "quotation mark"),
        ])
    func refuses(text: String, words: String) {
        let error = #expect(throws: ArgumentTextError.self) { try PolicyText.parse(text) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test(
        "What is shown of a policy is read as the same",
        arguments: [
            PolicyDescription("exp3"), PolicyDescription("weighted", ["b": .number(10), "a=x": .number(90.5)]),
            PolicyDescription("mine", ["k": .text("1"), "l": .text("x, y: z")]),
        ])
    func roundTrips(policy: PolicyDescription) throws {
        #expect(try PolicyText.parse("\(policy)") == policy)
    }

    @Test("The help lists every policy that a frontend has, and no other")
    func listsPolicies() {
        #expect(Set(PolicyText.names) == Set(SelectionPolicies.standard.names))
        for name in PolicyText.names { #expect(PolicyText.help.contains("  \(name)"), "\(name)") }
        #expect(PolicyText.help.split(separator: "\n").allSatisfy { $0.count < 80 })
        #expect(AppCommand.SetPolicy.helpMessage().contains("weighted(MODEL: PERCENT, …)"))
        #expect(AppCommand.Register.helpMessage(columns: 200).contains("--policy exp3"))
    }
}

@Suite("What policies have learned, shown for people")
struct SelectionStateReportTests {
    private func state(user: String? = nil, isOwn: Bool = true) -> SelectionStateDescription {
        SelectionStateDescription(
            application: "digits", user: user, policy: PolicyDescription("exp3", ["share": .number(0.5)]),
            loss: .zeroOne, isOwn: isOwn,
            models: [
                .init(model: "a", version: "2", weight: 0.8765, chosen: 8, combined: 7, straggled: 1, meanLoss: 0.25),
                .init(model: "b", weight: 0.1235),
            ], feedbacks: 12, state: #"{"weights":[1,2]}"#)
    }

    @Test("Models are shown in a table, with the state below")
    func shows() {
        #expect(
            SelectionStateReport.lines(state()) == [
                "application  digits", "policy       exp3(share: 0.5)", "loss         zero-one", "feedback     12", "",
                "MODEL  VERSION  WEIGHT  CHOSEN  COMBINED  STRAGGLED  MEAN LOSS",
                "a      2         87.7%       8         7          1       0.25",
                "b      -         12.4%       0         0          0          -", "",
                #"state  {"weights":[1,2]}"#,
            ])
    }

    @Test("A user without a state of their own is told from one with")
    func showsUsers() {
        #expect(SelectionStateReport.lines(state(user: "7", isOwn: true))[1] == "user         7")
        #expect(
            SelectionStateReport.lines(state(user: "7", isOwn: false))[1]
                == "user         7 (starts from the application's state)")
    }

    @Test("What learns nothing has no state, and no model is said to be linked where none is")
    func showsNothing() {
        let lines = SelectionStateReport.lines(
            SelectionStateDescription(application: "a", policy: .standard, loss: .zeroOne, models: []))
        #expect(lines.last == "No model is linked.")
        #expect(!lines.contains { $0.hasPrefix("state") })
    }
}
