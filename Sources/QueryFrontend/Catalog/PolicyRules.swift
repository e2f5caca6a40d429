/// The rules of the catalog that only the policies themselves can tell.
extension SelectionPolicies {
    /// The change with the policy that it names, if any, by the name that it was added under.
    ///
    /// - Throws: ``CatalogError`` for an unknown policy, for parameters that the policy does not take, and where they name a
    ///   model that is not there although the application is linked to some.
    func checked(_ change: CatalogChange, in catalog: Catalog) throws(CatalogError) -> CatalogChange {
        switch change {
        case .registerApplication(var application):
            application.selection.policy = try checked(application.selection.policy)
            try checkModels(of: application.selection.policy, for: application.name, application.linkedModels, catalog)
            return .registerApplication(application)
        case .linkModels(let name, let models):
            if let application = catalog.applications[name] {
                try checkModels(
                    of: application.selection.policy, for: name, application.linkedModels + models, catalog)
            }
            return change
        case .setApplicationOptions(let name, var options):
            options.policy = try options.policy.map { policy throws(CatalogError) in
                let policy = try checked(policy)
                try checkModels(of: policy, for: name, catalog.applications[name]?.linkedModels ?? [], catalog)
                return policy
            }
            return .setApplicationOptions(name: name, options)
        default:
            return change
        }
    }

    private func checked(_ description: PolicyDescription) throws(CatalogError) -> PolicyDescription {
        guard let name = knownName(for: description.name) else {
            throw CatalogError(
                "policy: \(CatalogNames.quoted(description.name)) is no policy; "
                    + CatalogNames.list(names))
        }
        do {
            _ = try policy(for: description)
        } catch {
            throw CatalogError(error.description)
        }
        return PolicyDescription(name, description.parameters)
    }

    /// A misspelt model would silently get nothing. An application that is only being set up may name models to come.
    private func checkModels(
        of description: PolicyDescription, for application: String, _ linked: [String], _ catalog: Catalog
    ) throws(CatalogError) {
        guard !linked.isEmpty, let policy = try? policy(for: description) else { return }
        let known = Set(catalog.models.keys.map(\.name))
        guard let unknown = policy.namedModels.first(where: { !known.contains($0) }) else { return }
        throw CatalogError(
            "policy '\(description.name)': no model with name \(CatalogNames.quoted(unknown)) exists; the application "
                + "'\(application)' would be linked to: \(linked.joined(separator: ", "))")
    }
}
