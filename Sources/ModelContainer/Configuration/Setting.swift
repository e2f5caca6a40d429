/// What one setting is, and who says so.
struct Setting: Hashable, Sendable {
    var value: String
    /// The flag or the variable that gives it; `nil` where the code does.
    var source: String?

    /// From a flag, else from the environment, where a variable that is empty counts as not set, else from the code.
    static func first(
        _ flag: (name: String, value: String?), _ variable: String, of environment: [String: String],
        code: String? = nil
    ) -> Setting? {
        if let value = flag.value { return Setting(value: value, source: flag.name) }
        if let value = environment[variable], !value.isEmpty { return Setting(value: value, source: variable) }
        return code.map { Setting(value: $0) }
    }

    /// The error that it cannot be this, and where it was said.
    func invalid(_ what: String, expected: String) -> ContainerError {
        .invalid(what: source.map { "\(what) (\($0))" } ?? what, value: value, expected: expected)
    }
}
