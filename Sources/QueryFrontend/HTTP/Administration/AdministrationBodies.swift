import ContainerRPC

/// `add_app`
struct ApplicationBody: AdministrationBody {
    let application: Application

    init(_ object: AdministrationObject) throws {
        application = Application(
            name: try object.string("name"),
            inputType: try object.inputType("input_type"),
            defaultOutput: try object.string("default_output"),
            latencySLO: .microseconds(try object.integer("latency_slo_micros")))
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
        let size = try object.integer("batch_size")
        guard let batchSize = BatchSize(wireValue: size) else {
            throw AdministrationBodyError(
                message: "Key 'batch_size': a positive integer or -1 (adaptive) is expected, \(size) was found")
        }
        model = Model(
            id: id, inputType: inputType, labels: labels, containerName: containerName, modelDataPath: modelDataPath,
            batchSize: batchSize)
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

/// `get_state`
struct StateBody: AdministrationBody {
    let application: String
    let user: Int

    init(_ object: AdministrationObject) throws {
        application = try object.string("app_name")
        user = try object.integer("uid")
    }
}

extension AdministrationObject {
    /// A model's name and version.
    fileprivate func modelVersion() throws -> ModelVersion {
        ModelVersion(name: try string("model_name"), version: try version("model_version"))
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
