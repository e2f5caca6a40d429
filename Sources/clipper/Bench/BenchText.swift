import ArgumentParser
import ContainerRPC
import Foundation

/// Rates and counts as they are written on the command line of `clipper bench`.
enum BenchText {
    /// Requests per second: one in a thousand seconds to a million.
    static func rate(_ text: String) throws -> Double {
        let digits = text.hasSuffix("/s") ? text.dropLast(2) : text[...]
        guard let rate = Double(digits), (0.001...1_000_000).contains(rate) else {
            throw ArgumentTextError("a rate such as 2000 is expected, in requests per second, 0.001 to a million")
        }
        return rate
    }

    /// A number from 1 on.
    static func count(_ text: String) throws -> Int {
        guard let count = Int(text), (1...1_000_000).contains(count) else {
            throw ArgumentTextError("a whole number from 1 to a million is expected")
        }
        return count
    }
}

/// A file of `clipper bench --json`, and its name in a plot.
struct LabelledFile: ExpressibleByArgument, Equatable, Sendable {
    let label: String
    let path: String

    init?(argument: String) {
        // A label such as `a=b` is less likely than a path with that character.
        guard let mark = argument.firstIndex(of: "="), mark != argument.startIndex else { return nil }
        label = String(argument[..<mark])
        path = String(argument[argument.index(after: mark)...])
    }

    /// - Throws: ``CommandFailure`` for a file that cannot be read or is no report.
    func read() throws -> BenchReport {
        do {
            return try BenchReport(json: try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch let error where error is DecodingError || error is ForeignJSON.Problem {
            throw CommandFailure.usage("'\(path)' is no JSON of `clipper bench`")
        } catch {
            throw CommandFailure.usage("'\(path)' cannot be read: \(error.localizedDescription)")
        }
    }
}
