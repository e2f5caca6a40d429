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

    /// New users of an application that has seen many with these errors for long.
    private func newUsers<Policy: SelectionPolicy>(
        of application: [Double], _ policy: Policy
    ) -> (_ errors: [Double], _ seed: UInt64, _ isKnown: Bool) -> PolicyWorld<Policy> {
        var world = PolicyWorld(policy, application)
        world.errorRate(of: 2_000)
        let state = policy.userState(from: world.state)
        return { errors, seed, isKnown in
            var user = PolicyWorld(policy, errors, seed: seed)
            if isKnown { user.state = state }
            return user
        }
    }

    @Test(
        "So does one who has to find the only right one of three or four, which fails for all others",
        arguments: ["exp3", "exp4", "thompson", "epsilonGreedy"],
        [([0.05, 0.9, 0.4], [0.9, 0.05, 0.4]), ([0.05, 0.95, 0.4, 0.4], [0.9, 0.05, 0.4, 0.4])])
    func findsModelOfMany(name: String, errors: (application: [Double], user: [Double])) throws {
        func run<Policy: SelectionPolicy>(_ policy: Policy) {
            let newUser = newUsers(of: errors.application, policy)
            var right = 0
            for number in 0..<100 as Range<UInt64> {
                var user = newUser(errors.user, number, true)
                user.errorRate(of: 50)
                if user.weights[1] == user.weights.max() { right += 1 }
            }
            #expect(right >= 80)
        }
        run(try SelectionPolicies.standard.policy(for: PolicyDescription(name)))
    }

    @Test(
        "A user who is as all others errs less at first than without what the application knows",
        arguments: PolicyStateTests.learning)
    func gains(name: String) throws {
        func run<Policy: SelectionPolicy>(_ policy: Policy) {
            let errors = [0.4, 0.4, 0.9, 0.05]
            let newUser = newUsers(of: errors, policy)
            func firstErrors(isKnown: Bool) -> Double {
                (0..<200 as Range<UInt64>).reduce(0) { sum, number in
                    var user = newUser(errors, number, isKnown)
                    return sum + user.errorRate(of: 20)
                }
            }
            // An ensemble gains least: it asks all models from the first query on.
            #expect(firstErrors(isKnown: true) < 0.95 * firstErrors(isKnown: false))
        }
        run(try SelectionPolicies.standard.policy(for: PolicyDescription(name)))
    }
}
