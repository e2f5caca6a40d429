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
    /// Removes a version of a model; where it was the current one, `successor` takes its place.
    ///
    /// Leave `successor` out: the catalog fills it in with the newest remaining version that fits the linked
    /// applications, or leaves it `nil` when there is none.
    case deleteModel(ModelVersion, successor: String? = nil)
    /// Makes a registered version the current one.
    case setCurrentVersion(ModelVersion)
    /// Links models to an application, after those already linked, in this order; all or none.
    case linkModels(application: String, models: [String])
    /// Removes links; all or none.
    case unlinkModels(application: String, models: [String])
}
