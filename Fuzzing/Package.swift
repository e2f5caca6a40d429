// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]

// A package of its own: it is built with -sanitize=fuzzer, which brings a `main` of its own.
let package = Package(
    name: "clipper-fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Named, because a path's last component is whatever the clone was called.
        .package(name: "swift-clipper", path: "..")
    ],
    targets: [
        // How both fuzzers read their input.
        .target(
            name: "FuzzInput", dependencies: [.product(name: "ContainerRPC", package: "swift-clipper")],
            swiftSettings: settings)
    ]
        + ["fuzz-rpc-3", "fuzz-rpc-4"].map { name in
            .executableTarget(
                name: name,
                dependencies: ["FuzzInput", .product(name: "ContainerRPC", package: "swift-clipper")],
                swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])
        }
)
