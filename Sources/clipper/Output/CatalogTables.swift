import QueryFrontend

/// Applications and models as the administration API describes them, for people.
///
/// Settings that most leave alone have a column, or a line, only where one is not what it is by default.
enum CatalogTables {
    static func applications(_ applications: [RegisteredApplication]) -> Table {
        Table(
            columns: [.left("APPLICATION"), .left("INPUT"), .right("SLO"), .left("DEFAULT"), .left("MODELS")],
            rows: applications.map { application in
                [
                    application.name, application.inputType, DurationText.format(application.latencySLO),
                    Printable.line(application.defaultOutput, upTo: 32),
                    application.linkedModels.joined(separator: ", "),
                ]
            }
        ).with(applications.map(settings))
    }

    static func fields(_ application: RegisteredApplication) -> [String] {
        Table.fields(
            [
                ("application", application.name), ("input type", application.inputType),
                ("default output", application.defaultOutput),
                ("latency SLO", DurationText.format(application.latencySLO)),
                ("linked models", application.linkedModels.joined(separator: ", ")),
            ] + shown(settings(of: application)))
    }

    static func models(_ models: [RegisteredModel]) -> Table {
        Table(
            columns: [
                .left("MODEL"), .left("VERSION"), .left("CURRENT"), .left("INPUT"), .left("BATCHING"), .left("LABELS"),
            ],
            rows: models.map { model in
                [
                    model.name, model.version, model.isCurrent ? "yes" : "no", model.inputType, batching(of: model),
                    model.labels.joined(separator: ", "),
                ]
            }
        ).with(models.map(settings))
    }

    static func fields(_ model: RegisteredModel) -> [String] {
        Table.fields(
            [
                ("model", model.name), ("version", model.version), ("current", model.isCurrent ? "yes" : "no"),
                ("input type", model.inputType), ("batching", batching(of: model)),
            ] + shown(settings(of: model)) + [
                ("labels", model.labels.joined(separator: ", ")), ("container name", model.containerName),
                ("model data path", model.modelDataPath),
            ])
    }

    // MARK: Settings

    /// The settings of an application; empty where they are what they are by default.
    private static func settings(of application: RegisteredApplication) -> [(String, String)] {
        let overload = application.overload ?? OverloadAnswer.defaultOutput.rawValue
        let hedging = application.hedging?.hedging.map { hedging in
            "after \(ShareText.format(hedging.quantile)), at most \(ShareText.format(hedging.maxExtraWork))"
        }
        return [
            ("overload", overload == OverloadAnswer.defaultOutput.rawValue ? "" : overload),
            ("hedging", hedging ?? ""),
        ]
            + SelectionColumns.settings(
                policy: application.policy, loss: application.loss, minConfidence: application.minConfidence,
                shadows: application.shadows)
    }

    /// The settings of a model; empty where they are what they are by default.
    private static func settings(of model: RegisteredModel) -> [(String, String)] {
        let batching = known(model)
        let delay = batching?.maxDelay ?? .zero
        let standard = batching.map { Batching.defaultMaxBatch(for: $0.limit) }
        return [
            ("max delay", delay == .zero ? "" : DurationText.format(delay)),
            ("max batch", batching.flatMap { $0.maxBatch == standard ? nil : "\($0.maxBatch)" } ?? ""),
            ("cache", model.cache == false ? "off" : ""),
        ]
    }

    /// A model's batching; `nil` where it is not told, or is none that this program knows.
    private static func known(_ model: RegisteredModel) -> Batching? {
        try? model.batching?.batching(beside: .adaptive)
    }

    private static func batching(of model: RegisteredModel) -> String {
        if let batching = known(model) { return BatchingText.format(batching.limit) }
        return model.batching?.policy ?? model.batchSize.map(BatchSizeText.format) ?? ""
    }

    private static func shown(_ settings: [(String, String)]) -> [(String, String)] {
        settings.filter { !$0.1.isEmpty }
    }
}

extension Table {
    /// The same with a column for each setting that any row has; `settings` has one list, of equal names, for each row.
    func with(_ settings: [[(String, String)]]) -> Table {
        let names = settings.first?.map(\.0) ?? []
        let used = names.indices.filter { column in settings.contains { !$0[column].1.isEmpty } }
        return Table(
            columns: columns + used.map { .left(names[$0].uppercased()) },
            rows: zip(rows, settings).map { row, settings in row + used.map { settings[$0].1 } })
    }
}
