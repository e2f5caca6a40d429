import Foundation
import Testing

/// Where the package's executables are.
enum BuiltProducts {
    private final class Anchor {}

    /// An executable of this package, which is built into the directory that holds the test bundle.
    static func executable(_ name: String) throws -> String {
        let bundle = Bundle(for: Anchor.self).bundleURL
        // Elsewhere than on Linux a test bundle is a directory; there its executable lies beside the others.
        let directory = bundle.pathExtension == "xctest" ? bundle.deletingLastPathComponent() : bundle
        let file = directory.appendingPathComponent(name)
        try #require(
            FileManager.default.isExecutableFile(atPath: file.path), "\(file.path) is not there: `swift build` first")
        return file.path
    }
}

/// Lets a few containers run at a time: a hundred that start at once keep each other from their bounds.
private actor Turnstile {
    static let shared = Turnstile(places: 6)

    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty {
            places += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

/// Runs what starts containers when there is a place for it.
func withTurn<Value: Sendable>(_ body: () async -> Value) async -> Value {
    await Turnstile.shared.enter()
    let value = await body()
    await Turnstile.shared.leave()
    return value
}
