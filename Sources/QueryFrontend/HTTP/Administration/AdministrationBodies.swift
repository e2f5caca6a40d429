import ContainerRPC

/// `add_app`
struct ApplicationBody: AdministrationBody {
    let application: Application

    init(_ object: AdministrationObject) throws {
        var application = Application(
            name: try object.string("name"),
            inputType: try object.inputType("input_type"),
            defaultOutput: try object.string("default_output"),
            latencySLO: .microseconds(try object.integer("latency_slo_micros")))
        application.take(try object.applicationOptions())
        // Called as in `add_model_links`: clients of Clipper's may send back here what `get_application` has told them.
        application.linkedModels = try object.ifPresent("model_names", object.strings) ?? []
        self.application = application
    }
}

/// `set_app_options`
struct ApplicationOptionsBody: AdministrationBody {
    let name: String
    let options: ApplicationOptions

    init(_ object: AdministrationObject) throws {
        // Nothing of Clipper's sends this, so a key that nobody asks for is a misspelt one.
        let keys = [
            "latency_slo_micros", "default_output", "overload", "hedging", "policy", "loss", "min_confidence", "shadow",
        ]
        try object.refuseKeys(except: ["name"] + keys)
        name = try object.string("name")
        options = try object.applicationOptions()
        guard options != ApplicationOptions() else {
            throw AdministrationBodyError(message: "Nothing is to be set: give one of \(keys.joined(separator: ", "))")
        }
    }
}

/// `delete_app`, `get_application`
struct ApplicationNameBody: AdministrationBody {
    let name: String

    init(_ object: AdministrationObject) throws {
        name = try object.string("name")
    }
}

/// `add_model`
struct ModelBody: AdministrationBody {
    let model: Model

    init(_ object: AdministrationObject) throws {
        let id = try object.modelVersion()
        let labels = try object.strings("labels")
        let inputType = try object.inputType("input_type")
        let containerName = try object.string("container_name")
        let modelDataPath = try object.string("model_data_path")
        let batchSize = try object.batchSize("batch_size")
        let batching = try object.ifPresent("batching", object.batching) ?? BatchingDescription()
        model = Model(
            id: id, inputType: inputType, labels: labels, containerName: containerName, modelDataPath: modelDataPath,
            batching: try batching.batching(beside: batchSize),
            cachesPredictions: try object.ifPresent("cache", object.boolean) ?? true)
    }
}

/// `set_model_options`
struct ModelOptionsBody: AdministrationBody {
    let id: ModelVersion
    let options: ModelOptions

    init(_ object: AdministrationObject) throws {
        // Nothing of Clipper's sends this, so a key that nobody asks for is a misspelt one.
        let keys = ["batch_size", "batching", "cache", "labels"]
        try object.refuseKeys(except: ["model_name", "model_version"] + keys)
        id = try object.modelVersion()
        let batching = try object.ifPresent("batching", object.batching) ?? BatchingDescription()
        var options = try batching.options(beside: object.ifPresent("batch_size", object.batchSize))
        options.cachesPredictions = try object.ifPresent("cache", object.boolean)
        options.labels = try object.ifPresent("labels", object.strings)
        guard options != ModelOptions() else {
            throw AdministrationBodyError(message: "Nothing is to be set: give one of \(keys.joined(separator: ", "))")
        }
        self.options = options
    }
}

/// `set_model_version`, `delete_versioned_model`, `get_model`
struct ModelVersionBody: AdministrationBody {
    let id: ModelVersion

    init(_ object: AdministrationObject) throws {
        id = try object.modelVersion()
    }
}

/// `add_model_links`, `delete_model_links`
struct LinksBody: AdministrationBody {
    let application: String
    let models: [String]

    init(_ object: AdministrationObject) throws {
        application = try object.string("app_name")
        models = try object.strings("model_names")
    }
}

/// `get_linked_models`
struct LinkedModelsBody: AdministrationBody {
    let application: String

    init(_ object: AdministrationObject) throws {
        application = try object.string("app_name")
    }
}

/// `get_all_applications`, `get_all_models`, `get_all_containers`
struct ListBody: AdministrationBody {
    let isVerbose: Bool

    init(_ object: AdministrationObject) throws {
        isVerbose = try object.boolean("verbose")
    }
}

/// `get_container`
struct ContainerBody: AdministrationBody {
    let id: ModelVersion
    let replica: Int

    init(_ object: AdministrationObject) throws {
        id = try object.modelVersion()
        replica = try object.replica("replica_id")
    }
}

/// `drain`
struct DrainBody: AdministrationBody {
    let id: ModelVersion
    /// The one replica; `nil`: all.
    let replica: Int?
    let draining: Draining

    init(_ object: AdministrationObject) throws {
        // A misspelt `replica_id` must not drain them all.
        try object.refuseKeys(except: ["model_name", "model_version", "replica_id", "resume", "stop"])
        id = try object.modelVersion()
        replica = try object.ifPresent("replica_id", object.replica)
        let resumes = try object.ifPresent("resume", object.boolean) ?? false
        let stops = try object.ifPresent("stop", object.boolean) ?? false
        guard !resumes || !stops else {
            throw AdministrationBodyError(message: "'resume' takes replicas back, 'stop' ends them: leave one out")
        }
        draining = resumes ? .end : stops ? .beginAndStop : .begin
    }
}

/// `get_state`
struct StateBody: AdministrationBody {
    let application: String
    /// `nil`: the application itself. Clipper's clients always name one.
    let user: String?
    let format: AdministrationReply.Format

    init(_ object: AdministrationObject) throws {
        application = try object.string("app_name")
        user = try object.ifPresent("uid", object.user)
        format = try object.ifPresent("format", object.format) ?? .text
    }
}

/// `reset_state`
struct ResetStateBody: AdministrationBody {
    let application: String
    /// `nil`: the application and all its users.
    let user: String?

    init(_ object: AdministrationObject) throws {
        // A misspelt `uid` must not reset everybody's state.
        try object.refuseKeys(except: ["app_name", "uid"])
        application = try object.string("app_name")
        user = try object.ifPresent("uid", object.user)
    }
}

extension AdministrationObject {
    /// A model's name and version.
    fileprivate func modelVersion() throws -> ModelVersion {
        ModelVersion(name: try string("model_name"), version: try version("model_version"))
    }

    /// Clipper's one number for how batches are formed.
    fileprivate func batchSize(_ name: String) throws -> BatchSize {
        let size = try integer(name)
        guard let batchSize = BatchSize(wireValue: size) else {
            throw AdministrationBodyError(
                message: "Key '\(name)': a positive integer or -1 (adaptive) is expected, \(size) was found")
        }
        return batchSize
    }

    /// How batches are formed.
    fileprivate func batching(_ name: String) throws -> BatchingDescription {
        let object = try object(name)
        typealias Keys = BatchingDescription.CodingKeys
        try object.refuseKeys(except: Keys.allCases.map(\.rawValue))
        func part<Value>(_ key: Keys, _ read: (String) throws -> Value) throws -> Value? {
            try object.ifPresent(key.rawValue, read)
        }
        return BatchingDescription(
            policy: try part(.policy, object.string), increase: try part(.increase, object.integer),
            backoff: try part(.backoff, object.number), size: try part(.size, object.integer),
            maxDelayMicroseconds: try part(.maxDelayMicroseconds, object.integer),
            maxBatch: try part(.maxBatch, object.integer))
    }

    /// The options of an application, of which none needs to be there.
    fileprivate func applicationOptions() throws -> ApplicationOptions {
        ApplicationOptions(
            latencySLO: try ifPresent("latency_slo_micros", integer).map { .microseconds($0) },
            defaultOutput: try ifPresent("default_output", string),
            overload: try ifPresent("overload", overload), hedging: try ifPresent("hedging", hedging),
            policy: try ifPresent("policy", policy), loss: try ifPresent("loss", loss),
            minConfidence: try ifPresent("min_confidence", number), shadows: try ifPresent("shadow", strings))
    }

    /// A policy: its name, or an object with its name and its parameters.
    private func policy(_ name: String) throws -> PolicyDescription {
        if let policy = try? string(name) { return PolicyDescription(policy) }
        let object = try object(name, expecting: "a policy's name or an object with 'name' and 'parameters'")
        typealias Keys = PolicyDescription.CodingKeys
        try object.refuseKeys(except: Keys.allCases.map(\.rawValue))
        let parameters = try object.ifPresent(Keys.parameters.rawValue) { try object.object($0) }
        return PolicyDescription(
            try object.string(Keys.name.rawValue), try parameters?.values(PolicyDescription.Value.self) ?? [:])
    }

    private func loss(_ name: String) throws -> Loss {
        let text = try string(name)
        guard let loss = Loss(rawValue: text) else {
            let known = Loss.allCases.map(\.rawValue).joined(separator: ", ")
            throw AdministrationBodyError(
                message: "Key '\(name)': \(CatalogNames.quoted(text)) is no loss; these are: \(known)")
        }
        return loss
    }

    /// In what form an answer is wanted.
    fileprivate func format(_ name: String) throws -> AdministrationReply.Format {
        switch try string(name) {
        case "text": .text
        case "json": .json
        case let other:
            throw AdministrationBodyError(
                message: "Key '\(name)': \(CatalogNames.quoted(other)) is no format; these are: text, json")
        }
    }

    private func overload(_ name: String) throws -> OverloadAnswer {
        let text = try string(name)
        guard let answer = OverloadAnswer(rawValue: text) else {
            let known = OverloadAnswer.allCases.map(\.rawValue).joined(separator: ", ")
            throw AdministrationBodyError(
                message: "Key '\(name)': \(CatalogNames.quoted(text)) is no answer to overload; these are: \(known)")
        }
        return answer
    }

    private func hedging(_ name: String) throws -> HedgingSetting {
        if let isOn = try? boolean(name) { return isOn ? .on(Hedging()) : .off }
        let object = try object(name, expecting: "true, false or an object")
        typealias Keys = HedgingSetting.CodingKeys
        try object.refuseKeys(except: Keys.allCases.map(\.rawValue))
        var hedging = Hedging()
        if let quantile = try object.ifPresent(Keys.quantile.rawValue, object.number) { hedging.quantile = quantile }
        if let share = try object.ifPresent(Keys.maxExtraWork.rawValue, object.number) { hedging.maxExtraWork = share }
        return .on(hedging)
    }

    /// An input type by any of its names.
    fileprivate func inputType(_ name: String) throws -> InputType {
        let text = try string(name)
        guard let type = InputType(name: text) else {
            let known = InputType.allCases.map(\.name).joined(separator: ", ")
            throw AdministrationBodyError(
                message: "Key '\(name)': \(CatalogNames.quoted(text)) is no input type; these are: \(known)")
        }
        return type
    }
}
