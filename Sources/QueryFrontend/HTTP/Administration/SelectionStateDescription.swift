import ContainerRPC
import Foundation

/// What an application's policy has learned, for the application or for one of its users; the answer to `get_state`.
package struct SelectionStateDescription: Sendable, Equatable {
    /// One linked model's part in it.
    package struct Model: Sendable, Equatable {
        /// The model's name.
        package var model: String
        /// Its current version; `nil` where it has none.
        package var version: String?
        /// How much it counts now: its share of all linked models' weight, 0 to 1; 0 for a shadow.
        package var weight: Double
        /// Queries that it was chosen for, since the frontend started.
        package var chosen: Int
        /// Queries in whose output its answer was combined.
        package var combined: Int
        /// Queries that its answer came too late for.
        package var straggled: Int
        /// The mean of what its answers have cost, in the unit of the application's loss; `nil` before any feedback.
        package var meanLoss: Double?
        /// As a shadow: its answers that agreed with the output, and those that did not; `nil` for any other.
        package var shadow: ShadowCounts?

        /// A model's part, from its parts.
        package init(
            model: String, version: String? = nil, weight: Double, chosen: Int = 0, combined: Int = 0,
            straggled: Int = 0, meanLoss: Double? = nil, shadow: ShadowCounts? = nil
        ) {
            self.model = model
            self.version = version
            self.weight = weight
            self.chosen = chosen
            self.combined = combined
            self.straggled = straggled
            self.meanLoss = meanLoss
            self.shadow = shadow
        }
    }

    /// How a shadow's answers compare with the outputs that applications were given.
    package struct ShadowCounts: Sendable, Equatable, Codable {
        /// Answers that agreed with the output.
        package var agreed: Int
        /// Answers that did not.
        package var disagreed: Int

        /// These counts.
        package init(agreed: Int, disagreed: Int) {
            self.agreed = agreed
            self.disagreed = disagreed
        }
    }

    /// The application's name.
    package var application: String
    /// The user; `nil`: the application itself.
    package var user: String?
    /// The application's policy.
    package var policy: PolicyDescription
    /// How the application measures errors.
    package var loss: Loss
    /// False for a user without a state of their own, who starts from the application's, shown here.
    package var isOwn: Bool
    /// The linked models, in the order of linking.
    package var models: [Model]
    /// Feedback that was counted for the application, since the frontend started.
    package var feedbacks: Int
    /// The policy's state as JSON; `null` for a policy that learns nothing. A text that is no JSON is told as a string.
    package var state: String

    /// A description from its parts.
    package init(
        application: String, user: String? = nil, policy: PolicyDescription, loss: Loss, isOwn: Bool = true,
        models: [Model], feedbacks: Int = 0, state: String = "null"
    ) {
        self.application = application
        self.user = user
        self.policy = policy
        self.loss = loss
        self.isOwn = isOwn
        self.models = models
        self.feedbacks = feedbacks
        self.state = state
    }

    /// What there is to know of an application with Clipper's policy, which learns nothing: its first linked model
    /// answers.
    init(_ application: Application, user: String?, catalog: Catalog) {
        self.init(
            application: application.name, user: user, policy: .standard,
            loss: application.selection.loss, isOwn: user == nil,
            models: application.linkedModels.enumerated().map { index, name in
                Model(model: name, version: catalog.currentVersions[name], weight: index == 0 ? 1 : 0)
            })
    }
}

// MARK: - JSON

extension SelectionStateDescription: Codable {
    private enum CodingKeys: String, CodingKey {
        case application
        case user
        case policy
        case loss
        case isOwn = "is_own"
        case models
        case feedbacks
        case state
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            application: try container.decode(String.self, forKey: .application),
            user: try container.decodeIfPresent(String.self, forKey: .user),
            policy: try container.decode(PolicyDescription.self, forKey: .policy),
            loss: try container.decode(Loss.self, forKey: .loss),
            isOwn: try container.decode(Bool.self, forKey: .isOwn),
            models: try container.decode([Model].self, forKey: .models),
            feedbacks: try container.decode(Int.self, forKey: .feedbacks),
            state: try container.decode(JSONValue.self, forKey: .state).json)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(application, forKey: .application)
        try container.encodeIfPresent(user, forKey: .user)
        try container.encode(policy, forKey: .policy)
        try container.encode(loss, forKey: .loss)
        try container.encode(isOwn, forKey: .isOwn)
        try container.encode(models, forKey: .models)
        try container.encode(feedbacks, forKey: .feedbacks)
        try container.encode(JSONValue(state) ?? .string(state), forKey: .state)
    }
}

extension SelectionStateDescription.Model: Codable {
    enum CodingKeys: String, CodingKey {
        case model
        case version
        case weight
        case chosen
        case combined
        case straggled
        case meanLoss = "mean_loss"
        case shadow
    }
}

extension SelectionStateDescription {
    init(_ report: SelectionReport) {
        // A model's version follows its name and a colon, which no name holds.
        let models = zip(report.models, report.weights()).map { model, weight in
            Model(
                model: model.name, version: String(model.label.dropFirst(model.name.count + 1)),
                weight: weight ?? 0, chosen: model.counters.chosen, combined: model.counters.combined,
                straggled: model.counters.straggled, meanLoss: model.counters.meanLoss,
                shadow: model.isShadow
                    ? ShadowCounts(agreed: model.counters.shadowAgreed, disagreed: model.counters.shadowDisagreed) : nil
            )
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let state = report.state.flatMap { try? encoder.encode($0) }
        self.init(
            application: report.application, user: report.user, policy: report.settings.policy,
            loss: report.settings.loss, isOwn: report.isOwn, models: models, feedbacks: report.feedback.counted,
            state: state.map { String(decoding: $0, as: UTF8.self) } ?? "null")
    }
}

// MARK: - Text

extension SelectionStateDescription {
    /// The same for people, line by line. Of Clipper's own policy, which learns nothing, it is what it always was.
    ///
    /// - Parameter shadows: The application's models that only watch.
    func text(shadows: [String]) -> String {
        let linked = models.map { "\($0.model) (\($0.version.map { "version \($0)" } ?? "no current version"))" }
        var lines = ["application: \(application)", "policy: \(policy)"]
        lines.append("linked models: \(linked.isEmpty ? "none" : linked.joined(separator: ", "))")
        if !shadows.isEmpty { lines.append("shadow models: \(shadows.joined(separator: ", "))") }
        guard policy != .standard || !shadows.isEmpty else { return lines.joined(separator: "\n") }
        if let user { lines.append("user: \(user)\(isOwn ? "" : " (starts from the application's state)")") }
        lines += ["loss: \(loss.rawValue)", "feedback counted: \(feedbacks)"]
        lines += models.map { model in
            if let shadow = model.shadow {
                return "\(model.model): shadow, agreed \(shadow.agreed), disagreed \(shadow.disagreed), "
                    + "mean loss \(model.meanLoss.map { "\($0)" } ?? "unknown")"
            }
            return "\(model.model): weight \(model.weight), chosen \(model.chosen), combined \(model.combined), "
                + "straggled \(model.straggled), mean loss \(model.meanLoss.map { "\($0)" } ?? "unknown")"
        }
        lines.append("state: \(state)")
        return lines.joined(separator: "\n")
    }
}
