/// Applications and models as the administration API describes them, for people.
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
            })
    }

    static func fields(_ application: RegisteredApplication) -> [String] {
        Table.fields([
            ("application", application.name), ("input type", application.inputType),
            ("default output", application.defaultOutput), ("latency SLO", DurationText.format(application.latencySLO)),
            ("linked models", application.linkedModels.joined(separator: ", ")),
        ])
    }

    static func models(_ models: [RegisteredModel]) -> Table {
        Table(
            columns: [
                .left("MODEL"), .left("VERSION"), .left("CURRENT"), .left("INPUT"), .right("BATCH SIZE"),
                .left("LABELS"),
            ],
            rows: models.map { model in
                [
                    model.name, model.version, model.isCurrent ? "yes" : "no", model.inputType, batchSize(of: model),
                    model.labels.joined(separator: ", "),
                ]
            })
    }

    static func fields(_ model: RegisteredModel) -> [String] {
        Table.fields([
            ("model", model.name), ("version", model.version), ("current", model.isCurrent ? "yes" : "no"),
            ("input type", model.inputType), ("batch size", batchSize(of: model)),
            ("labels", model.labels.joined(separator: ", ")), ("container name", model.containerName),
            ("model data path", model.modelDataPath),
        ])
    }

    private static func batchSize(of model: RegisteredModel) -> String {
        model.batchSize.map(BatchSizeText.format) ?? ""
    }
}
