/// One change to the catalog, and the unit that a store makes durable.
public enum CatalogChange: Sendable, Equatable {
    /// Registers an application, with the links that it comes with.
    case registerApplication(Application)
    /// Removes an application and its links.
    case deleteApplication(name: String)
    /// Changes options of an application; those left out stay. The catalog fills them in.
    case setApplicationOptions(name: String, ApplicationOptions)
    /// Registers a version of a model, which becomes the current one.
    case registerModel(Model)
    /// Changes options of a version of a model; those left out stay. The catalog fills them in.
    case setModelOptions(ModelVersion, ModelOptions)
    /// Removes a version of a model; where it was the current one, the newest that is left takes its place, if one fits the
    /// applications that use the model.
    case deleteModel(ModelVersion)
    /// Makes a registered version the current one.
    case setCurrentVersion(ModelVersion)
    /// Links models to an application, after those already linked, in this order; all or none.
    case linkModels(application: String, models: [String])
    /// Removes links; all or none.
    case unlinkModels(application: String, models: [String])
}
