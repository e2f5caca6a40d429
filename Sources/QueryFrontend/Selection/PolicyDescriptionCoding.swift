/// A value of JSON: a number or a string.
extension PolicyDescription.Value: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }
}

/// As the administration API tells it: its name as a string, or an object with `name` and `parameters`.
extension PolicyDescription: Codable {
    package enum CodingKeys: String, CodingKey, CaseIterable {
        case name
        case parameters
    }

    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            self.init(name)
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode(String.self, forKey: .name),
            try container.decodeIfPresent([String: Value].self, forKey: .parameters) ?? [:])
    }

    public func encode(to encoder: any Encoder) throws {
        guard !parameters.isEmpty else {
            var container = encoder.singleValueContainer()
            return try container.encode(name)
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(parameters, forKey: .parameters)
    }
}

/// As people write it: `exp3`, `weighted(a: 90, b: 10)`; parameters by name.
extension PolicyDescription: CustomStringConvertible {
    public var description: String {
        guard !parameters.isEmpty else { return name }
        let parts = parameters.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return "\(name)(\(parts.joined(separator: ", ")))"
    }
}

extension PolicyDescription.Value: CustomStringConvertible {
    public var description: String {
        switch self {
        case .number(let number): Int(exactly: number).map(String.init) ?? String(number)
        case .text(let text): "\"\(text)\""
        }
    }
}
