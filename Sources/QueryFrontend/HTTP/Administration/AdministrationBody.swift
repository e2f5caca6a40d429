import ContainerRPC
import Foundation

/// A request body that is not what its path takes.
struct AdministrationBodyError: Error, Equatable {
    /// Names the key, what is expected there and what was found.
    let message: String
}

/// The JSON object of one kind of administration request.
protocol AdministrationBody: Decodable {
    /// Reads the keys of the object, each at most once.
    init(_ object: AdministrationObject) throws
}

extension AdministrationBody {
    init(from decoder: any Decoder) throws {
        try self.init(AdministrationObject(decoder))
    }

    /// Reads a body, whatever content type it came with.
    ///
    /// - Throws: ``AdministrationBodyError``, or ``CatalogError`` for values that break its rules.
    static func read(_ bytes: [UInt8]) throws -> Self {
        guard !bytes.isEmpty else {
            throw AdministrationBodyError(message: "The body is empty; a JSON object is expected")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw AdministrationBodyError(message: "The body is not UTF-8; a JSON object is expected")
        }
        do {
            return try ForeignJSON.decode(Self.self, from: Data(bytes))
        } catch let error as AdministrationBodyError {
            throw error
        } catch let error as CatalogError {
            throw error
        } catch {
            throw AdministrationBodyError(message: "The body is not valid JSON; a JSON object is expected")
        }
    }
}

/// A JSON object whose keys are read one by one, with errors that name key, expectation and finding.
struct AdministrationObject {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private let container: KeyedDecodingContainer<Key>
    /// The key that this object is the value of, for messages; `nil` for the whole body.
    private let name: String?

    init(_ decoder: any Decoder) throws {
        guard let container = try? decoder.container(keyedBy: Key.self) else {
            throw AdministrationBodyError(message: "The body is JSON but no object; a JSON object is expected")
        }
        self.container = container
        name = nil
    }

    private init(_ container: KeyedDecodingContainer<Key>, name: String) {
        self.container = container
        self.name = name
    }

    /// A value that may be left out.
    func ifPresent<Value>(_ name: String, _ read: (String) throws -> Value) rethrows -> Value? {
        container.contains(Key(name)) ? try read(name) : nil
    }

    /// Refuses every key but these, where one that is misspelt would go unnoticed.
    func refuseKeys(except known: [String]) throws {
        let unknown = container.allKeys.map(\.stringValue).filter { !known.contains($0) }.sorted()
        guard !unknown.isEmpty else { return }
        let names = unknown.prefix(8).map(CatalogNames.quoted).joined(separator: ", ")
        let place = name.map { "Key '\($0)'" } ?? "The body"
        throw AdministrationBodyError(
            message: "\(place): no such key is known here: \(names); these are: \(known.joined(separator: ", "))")
    }

    /// An object within this one.
    func object(_ name: String, expecting expectation: String = "an object") throws -> AdministrationObject {
        let key = Key(name)
        try checkPresence(of: key)
        guard let nested = try? container.nestedContainer(keyedBy: Key.self, forKey: key) else {
            throw mismatch(key, expected: expectation)
        }
        return AdministrationObject(nested, name: title(of: key))
    }

    /// A string.
    func string(_ name: String) throws -> String {
        try value(of: Key(name), expecting: "a string")
    }

    /// A whole number; `1e5` and `100000.0` are two, and clients in languages with floats send them.
    func integer(_ name: String) throws -> Int {
        let key = Key(name)
        if let number = try? container.decode(Double.self, forKey: key), let integer = Int(exactly: number),
            integer.magnitude < 1 << 53
        {
            return integer
        }
        return try value(of: key, expecting: "an integer")
    }

    /// A number.
    func number(_ name: String) throws -> Double {
        try value(of: Key(name), expecting: "a number")
    }

    /// A replica's number: a whole number, or one in a string, as `clipper_admin` passes on what its caller gave.
    func replica(_ name: String) throws -> Int {
        if let text = try? container.decode(String.self, forKey: Key(name)), let number = Int(text) { return number }
        return try integer(name)
    }

    /// A user, as the query port takes one: a string that is not empty, or a whole number, which is the same user as the
    /// string of its digits.
    func user(_ name: String) throws -> String {
        let longest = CatalogNames.longestName
        let expected = "an integer or a string of 1 to \(longest) bytes"
        if let text = try? container.decode(String.self, forKey: Key(name)) {
            guard (1...longest).contains(text.utf8.count) else {
                throw AdministrationBodyError(
                    message:
                        "Key '\(title(of: Key(name)))': \(expected) is expected, one of \(text.utf8.count) was found")
            }
            return text
        }
        guard let number = try? integer(name) else {
            try checkPresence(of: Key(name))
            throw mismatch(Key(name), expected: expected)
        }
        return String(number)
    }

    /// The values of all keys: numbers and strings.
    func values<Value: Decodable>(_ type: Value.Type) throws -> [String: Value] {
        var values: [String: Value] = [:]
        for key in container.allKeys {
            values[key.stringValue] = try value(of: key, expecting: "a number or a string")
        }
        return values
    }

    /// `true` or `false`.
    func boolean(_ name: String) throws -> Bool {
        try value(of: Key(name), expecting: "true or false")
    }

    /// A version: a string, or a whole number because many count their versions.
    func version(_ name: String) throws -> String {
        if let number = try? container.decode(Int.self, forKey: Key(name)) { return String(number) }
        return try string(name)
    }

    /// An array of strings.
    func strings(_ name: String) throws -> [String] {
        let key = Key(name)
        try checkPresence(of: key)
        guard var array = try? container.nestedUnkeyedContainer(forKey: key) else {
            throw mismatch(key, expected: "an array of strings")
        }
        var strings: [String] = []
        while !array.isAtEnd {
            guard let string = try? array.decode(String.self) else {
                throw AdministrationBodyError(
                    message:
                        "Key '\(title(of: key))': an array of strings is expected, but element \(strings.count) is none"
                )
            }
            strings.append(string)
        }
        return strings
    }

    private func value<Value: Decodable>(of key: Key, expecting expectation: String) throws -> Value {
        try checkPresence(of: key)
        guard let value = try? container.decode(Value.self, forKey: key) else {
            throw mismatch(key, expected: expectation)
        }
        return value
    }

    private func checkPresence(of key: Key) throws {
        guard container.contains(key) else {
            throw AdministrationBodyError(message: "Key '\(title(of: key))' is missing")
        }
    }

    private func mismatch(_ key: Key, expected: String) -> AdministrationBodyError {
        AdministrationBodyError(
            message: "Key '\(title(of: key))': \(expected) is expected, \(finding(at: key)) was found")
    }

    /// The key with the one around it, as messages name it.
    private func title(of key: Key) -> String {
        (name.map { "\($0)." } ?? "") + key.stringValue
    }

    private func finding(at key: Key) -> String {
        if (try? container.decodeNil(forKey: key)) == true { return "null" }
        if let boolean = try? container.decode(Bool.self, forKey: key) { return "\(boolean)" }
        if (try? container.decode(String.self, forKey: key)) != nil { return "a string" }
        if let number = try? container.decode(Double.self, forKey: key) {
            return "the number \(Int(exactly: number).map(String.init) ?? String(number))"
        }
        if (try? container.nestedUnkeyedContainer(forKey: key)) != nil { return "an array" }
        if (try? container.nestedContainer(keyedBy: Key.self, forKey: key)) != nil { return "an object" }
        return "a value out of range"
    }
}
