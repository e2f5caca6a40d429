import DigitsModel
import Foundation
import Testing

@Suite("The digits example's classifier")
struct DigitsClassifierTests {
    @Test("It gives scikit-learn's answer to every held-out digit, in one batch and one by one")
    func reproducesReference() throws {
        let classifier = try DigitsClassifier.trained()
        let digits = try Digit.heldOut()
        #expect(digits.count == 599)
        let expected = digits.map(\.referenceAnswer)
        #expect(try classifier.classify(digits.flatMap(\.pixels)) == expected)
        #expect(try digits.flatMap { try classifier.classify($0.pixels) } == expected)
    }

    @Test("It reads at least 97 of 100 held-out digits rightly")
    func accuracy() throws {
        let digits = try Digit.heldOut()
        let answers = try DigitsClassifier.trained().classify(digits.flatMap(\.pixels))
        let correct = zip(answers, digits).count { $0 == $1.label }
        #expect(Double(correct) / Double(digits.count) >= 0.97)
    }

    @Test("No digits have no answers")
    func emptyBatch() throws {
        #expect(try DigitsClassifier.trained().classify([]).isEmpty)
    }

    @Test("Pixels that make no whole number of images are refused")
    func partialImage() throws {
        let classifier = try DigitsClassifier.trained()
        #expect(throws: DigitsModelError.self) { try classifier.classify(Array(repeating: 0, count: 63)) }
    }

    @Test(
        "Weights that do not fit together are refused",
        arguments: [
            #"{"layers":[]}"#,
            #"{"layers":[{"biases":[],"weights":[]}]}"#,
            #"{"layers":[{"biases":[0],"weights":[[1,2]]}]}"#,
            #"{"layers":[{"biases":[0],"weights":[[1]]}]}"#,
        ])
    func unfitWeights(json: String) {
        #expect(throws: DigitsModelError.self) { try DigitsClassifier(json: Data(json.utf8)) }
    }

    @Test("Weights that are no JSON are refused")
    func brokenWeights() {
        #expect(throws: DecodingError.self) { try DigitsClassifier(json: Data("layers".utf8)) }
    }

    @Test("A wrong line of the held-out file is named", arguments: ["1,2,3", "a" + String(repeating: ",0", count: 65)])
    func brokenLine(line: String) throws {
        let error = #expect(throws: DigitsModelError.self) { try Digit.list(csv: "header\n\(line)\n") }
        #expect(error?.description.hasPrefix("line 2:") == true)
    }

    @Test("A drawing has a darker character for more ink")
    func drawing() throws {
        let pixels = ["0", "4", "8", "12", "16"] + Array(repeating: "0", count: 59)
        let digit = try #require(try Digit.list(csv: "header\n7,7," + pixels.joined(separator: ",")).first)
        #expect(digit.drawing.count == 8)
        #expect(digit.drawing[0] == "  ░░▒▒▓▓██      ")
    }
}
