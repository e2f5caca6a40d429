import ContainerRPC
import Foundation

/// One input of a prediction, ready to be sent.
struct PredictInput: Equatable, Sendable {
    /// The input: an array, or a string.
    let json: RawJSON
    /// Whether it begins as an array does, but went as a string because it is none.
    let isBrokenArray: Bool

    /// A text: as it is where it is a JSON array, else as a string.
    ///
    /// - Parameter isString: Takes it for a string in any case.
    init(text: String, isString: Bool = false) {
        if !isString, let json = RawJSON(text), json.isArray {
            self.json = json
            isBrokenArray = false
        } else {
            json = .string(text)
            isBrokenArray = !isString && text.drop(while: \.isWhitespace).hasPrefix("[")
        }
    }

    /// Bytes, which travel as base64.
    init(bytes: Data) {
        json = .string(bytes.base64EncodedString())
        isBrokenArray = false
    }
}

/// What a prediction is asked with, beside its inputs.
struct PredictOptions: Equatable, Sendable {
    /// The version to ask; `nil` for the current one.
    var version: String?
    /// The user for whom a policy chooses; `nil`: nobody in particular.
    var user: String?
    /// In which time the answer is wanted, where that is shorter than the application's SLO.
    var deadline: Duration?
}

/// The body of a prediction.
enum PredictBody {
    /// One input goes as `input`, several as `input_batch`.
    ///
    /// - Parameter options: What goes along with the inputs.
    static func make(_ inputs: [PredictInput], _ options: PredictOptions = PredictOptions()) -> RawJSON {
        var members: [(String, RawJSON)] = []
        if let version = options.version { members.append(("version", .string(version))) }
        if let user = options.user { members.append(("uid", .name(user))) }
        if let deadline = options.deadline { members.append(("timeout_micros", .integer(deadline.wholeMicroseconds))) }
        if inputs.count == 1 {
            members.append(("input", inputs[0].json))
        } else {
            members.append(("input_batch", .array(inputs.map(\.json))))
        }
        return .object(members)
    }

    /// What may have been meant, for a prediction that was refused; `nil` where nothing is conspicuous.
    static func advice(for inputs: [PredictInput]) -> String? {
        guard let index = inputs.firstIndex(where: \.isBrokenArray) else { return nil }
        let name = inputs.count == 1 ? "The input" : "Input \(index + 1)"
        return "\(name) begins like an array but is no valid JSON, so it was sent as a string."
    }
}
