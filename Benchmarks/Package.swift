// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// A package of its own: who depends on swift-clipper does not build these.
let package = Package(
    name: "clipper-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Named, because a path's last component is whatever the clone was called.
        .package(name: "swift-clipper", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    ],
    targets: [
        .executableTarget(
            name: "nio-echo",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "rpc-pair",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ContainerRPC", package: "swift-clipper"),
            ],
            swiftSettings: settings),
        // Swift's Glibc module does not export prctl.
        .target(name: "CTimerSlack"),
        .executableTarget(
            name: "sleeping-container",
            dependencies: [
                "CTimerSlack",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ContainerRPC", package: "swift-clipper"),
                .product(name: "ModelContainer", package: "swift-clipper"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "network-container",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ModelContainer", package: "swift-clipper"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "idle-containers",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ContainerRPC", package: "swift-clipper"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "c-router-dealer",
            linkerSettings: [.linkedLibrary("zmq")]),
    ]
)
