import Testing

@testable import QueryFrontend

@Suite("Users whose models differ")
struct PersonalisationTests {
    @Test(
        "A user who starts from the application's state finds the right one of two models within 50 feedbacks",
        arguments: PolicyStateTests.learning)
    func findsModel(name: String) throws {
        func run<Policy: SelectionPolicy>(_ policy: Policy) {
            // The application has seen both kinds of users for long.
            var application = PolicyWorld(policy, [0.1, 0.7])
            for _ in 0..<1_000 {
                application.query()
                application.models = [("a", application.models[1].error), ("b", application.models[0].error)]
            }
            var right = 0
            for number in 0..<100 as Range<UInt64> {
                let isFirst = number % 2 == 0
                var user = PolicyWorld(policy, isFirst ? [0.1, 0.7] : [0.7, 0.1], seed: number)
                user.state = policy.userState(from: application.state)
                user.errorRate(of: 50)
                if user.weights[isFirst ? 0 : 1] > 0.5 { right += 1 }
            }
            #expect(right >= 85)
        }
        run(try SelectionPolicies.standard.policy(for: PolicyDescription(name)))
    }

    @Test("So does one of a few users who differ from all others", arguments: PolicyStateTests.learning)
    func findsModelOfFew(name: String) throws {
        func run<Policy: SelectionPolicy>(_ policy: Policy) {
            var application = PolicyWorld(policy, [0.1, 0.7])
            application.errorRate(of: 2_000)
            var right = 0
            for number in 0..<100 as Range<UInt64> {
                var user = PolicyWorld(policy, [0.7, 0.1], seed: number)
                user.state = policy.userState(from: application.state)
                user.errorRate(of: 50)
                if user.weights[1] > 0.5 { right += 1 }
            }
            #expect(right >= 85)
        }
        run(try SelectionPolicies.standard.policy(for: PolicyDescription(name)))
    }
}
