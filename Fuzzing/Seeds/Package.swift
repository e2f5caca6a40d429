// swift-tools-version: 6.2
import PackageDescription

// Apart from the fuzzer, which is built with a `main` of libFuzzer's. It needs nothing but Foundation.
let package = Package(
    name: "clipper-fuzz-seeds",
    platforms: [.macOS(.v15)],
    targets: [
        .executableTarget(
            name: "fuzz-seeds",
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ])
    ]
)
