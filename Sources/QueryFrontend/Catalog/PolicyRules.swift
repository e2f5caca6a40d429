/// The rules of the catalog that only the policies themselves can tell.
extension SelectionPolicies {
    /// The change with the policy that it names, if any, by the name that it was added under.
    ///
    /// - Throws: ``CatalogError`` for an unknown policy, and for parameters that the policy does not take.
    func checked(_ change: CatalogChange) throws(CatalogError) -> CatalogChange {
        switch change {
        case .registerApplication(var application):
            application.selection.policy = try checked(application.selection.policy)
            return .registerApplication(application)
        case .setApplicationOptions(let name, var options):
            options.policy = try options.policy.map { policy throws(CatalogError) in try checked(policy) }
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
}
