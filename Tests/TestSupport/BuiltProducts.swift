package import Foundation

/// Where the package's executables are.
package enum BuiltProducts {
    private final class Anchor {}

    /// An executable that is not there.
    package struct NotBuilt: Error, CustomStringConvertible {
        let path: String

        package var description: String { "\(path) is not there: `swift build` first" }
    }

    /// An executable of this package, which is built into the directory that holds the test bundle.
    ///
    /// - Throws: `NotBuilt`.
    package static func executable(_ name: String) throws(NotBuilt) -> URL {
        let bundle = Bundle(for: Anchor.self).bundleURL
        // Elsewhere than on Linux a test bundle is a directory; there its executable lies beside the others.
        let directory = bundle.pathExtension == "xctest" ? bundle.deletingLastPathComponent() : bundle
        let file = directory.appendingPathComponent(name)
        guard FileManager.default.isExecutableFile(atPath: file.path) else { throw NotBuilt(path: file.path) }
        return file
    }
}
