// swift-tools-version: 6.2
import PackageDescription

// A package of its own: it is built with -sanitize=fuzzer, which brings a `main` of its own.
let package = Package(
    name: "clipper-fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Named, because a path's last component is whatever the clone was called.
        .package(name: "swift-clipper", path: "..")
    ],
    targets: [
        .executableTarget(
            name: "fuzz-rpc-3",
            dependencies: [.product(name: "ContainerRPC", package: "swift-clipper")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .unsafeFlags(["-parse-as-library"]),
            ])
    ]
)
