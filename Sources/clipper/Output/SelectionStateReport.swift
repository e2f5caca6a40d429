import QueryFrontend

/// What an application's policy has learned, for people.
enum SelectionStateReport {
    /// The report, line by line.
    static func lines(_ state: SelectionStateDescription) -> [String] {
        var fields = [("application", state.application)]
        if let user = state.user {
            fields.append(("user", state.isOwn ? user : "\(user) (starts from the application's state)"))
        }
        fields += [("policy", "\(state.policy)"), ("loss", state.loss.rawValue), ("feedback", "\(state.feedbacks)")]
        // What is counted is not counted for each user, and begins with the frontend.
        if state.user != nil { fields.append(("counts", "of the whole application, since the frontend's start")) }
        let models = state.models.filter { $0.shadow == nil }
        let table = Table(
            columns: [
                .left("MODEL"), .left("VERSION"), .right("WEIGHT"), .right("CHOSEN"), .right("COMBINED"),
                .right("STRAGGLED"), .right("MEAN LOSS"),
            ],
            rows: models.map { model in
                [
                    model.model, model.version ?? "", share(model.weight), "\(model.chosen)", "\(model.combined)",
                    "\(model.straggled)", model.meanLoss.map(loss) ?? "",
                ]
            })
        var sections = [Table.fields(fields)]
        sections.append(models.isEmpty ? ["No model is linked."] : table.lines)
        let shadows = state.models.compactMap { model in model.shadow.map { (model, $0) } }
        if !shadows.isEmpty {
            let shadowTable = Table(
                columns: [
                    .left("SHADOW"), .left("VERSION"), .right("AGREED"), .right("DISAGREED"), .right("MEAN LOSS"),
                ],
                rows: shadows.map { model, counts in
                    [
                        model.model, model.version ?? "", "\(counts.agreed)", "\(counts.disagreed)",
                        model.meanLoss.map(loss) ?? "",
                    ]
                })
            sections.append(shadowTable.lines)
        }
        if state.state != "null" { sections.append(["state  \(Printable.line(state.state))"]) }
        return Array(sections.joined(separator: [""]))
    }

    private static func share(_ weight: Double) -> String {
        guard weight.isFinite else { return "" }
        let text = "\((weight * 1000).rounded() / 10)"
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + "%"
    }

    private static func loss(_ value: Double) -> String {
        guard value.isFinite else { return "" }
        return value.magnitude < 1000 ? "\((value * 10_000).rounded() / 10_000)" : "\(value)"
    }
}

/// How an application selects, as tables and lists show it.
enum SelectionColumns {
    /// Names and values; empty where a value is what it is by default, or is not told.
    static func settings(
        policy: PolicyDescription?, loss: String?, minConfidence: Double?, shadows: [String]?
    ) -> [(String, String)] {
        let standard = SelectionSettings()
        let least = minConfidence ?? standard.minConfidence
        return [
            ("policy", policy.flatMap { $0 == standard.policy ? nil : "\($0)" } ?? ""),
            ("loss", loss.flatMap { $0 == standard.loss.rawValue ? nil : $0 } ?? ""),
            ("min confidence", least == standard.minConfidence ? "" : ShareText.format(least)),
            ("shadow", (shadows ?? []).joined(separator: ", ")),
        ]
    }
}
