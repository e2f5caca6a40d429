// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "swift-clipper",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "ContainerRPC", targets: ["ContainerRPC"]),
        .library(name: "ModelContainer", targets: ["ModelContainer"]),
        .library(name: "QueryFrontend", targets: ["QueryFrontend"]),
        .library(name: "ContainerConformance", targets: ["ContainerConformance"]),
        .executable(name: "clipper", targets: ["clipper"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
    ],
    targets: [
        // No pkgConfig: libzmq's file names libraries that it needs itself, and SwiftPM warns of their flags.
        .systemLibrary(name: "CZmq", providers: [.apt(["libzmq3-dev"]), .brew(["zeromq"])]),
        // What Swift and its module of the system's library lack.
        .systemLibrary(name: "CPlatform"),
        .target(
            name: "CSimdjson",
            linkerSettings: [.linkedLibrary("simdjson")]),
        .target(
            name: "ContainerRPC",
            dependencies: ["CPlatform", "CZmq"],
            swiftSettings: settings),
        .target(
            name: "ContainerConformance", dependencies: ["ContainerRPC", "PlainHTTP"], path: "Sources/Conformance",
            swiftSettings: settings),
        .target(name: "PlainHTTP", dependencies: ["ContainerRPC"], swiftSettings: settings),
        .target(
            name: "LogQueue",
            dependencies: ["ContainerRPC", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings),
        .target(
            name: "ModelContainer",
            dependencies: [
                "ContainerRPC", "LogQueue",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "QueryFrontend",
            dependencies: [
                "ContainerRPC", "CSimdjson", "CPlatform", "LogQueue",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "clipper",
            dependencies: [
                "ContainerConformance", "ContainerRPC", "CPlatform", "LogQueue", "PlainHTTP", "QueryFrontend",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "DigitsModel", path: "Examples/digits/Model",
            resources: [.copy("Resources/weights.json"), .copy("Resources/held-out.csv")], swiftSettings: settings),
        .executableTarget(
            name: "digits-container",
            dependencies: [
                "DigitsModel", "ModelContainer", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/digits/Container", swiftSettings: settings),
        .executableTarget(
            name: "digits-client",
            dependencies: ["DigitsModel", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Examples/digits/Client", swiftSettings: settings),
        .executableTarget(
            name: "sum-container",
            dependencies: [
                "ContainerRPC", "ModelContainer", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/sum", exclude: ["README.md"], swiftSettings: settings),
        .executableTarget(
            name: "embedded-example",
            dependencies: [
                "ContainerRPC", "ModelContainer", "QueryFrontend",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Examples/embedded", exclude: ["README.md"], swiftSettings: settings),
        .executableTarget(
            name: "own-policy-example",
            dependencies: [
                "ContainerRPC", "ModelContainer", "QueryFrontend",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Examples/own-policy", exclude: ["README.md"], swiftSettings: settings),
        .executableTarget(
            name: "async-batch-container",
            dependencies: ["ModelContainer", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Examples/async-batch", exclude: ["README.md"], swiftSettings: settings),
        // What tests of several targets need: waiting for a condition, gates, folders, the executables that are built.
        .target(
            name: "TestSupport", dependencies: [.product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "LogQueueTests",
            dependencies: ["ContainerRPC", "LogQueue", "TestSupport", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings),
        .testTarget(
            name: "ContainerRPCTests", dependencies: ["ContainerRPC", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "QueryFrontendTests",
            dependencies: [
                "QueryFrontend", "ContainerRPC", "ModelContainer", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ModelContainerTests",
            dependencies: [
                "ModelContainer", "ContainerRPC", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ClipperTests",
            dependencies: [
                "clipper", "ContainerConformance", "ContainerRPC", "PlainHTTP", "QueryFrontend", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        // Containers that do one thing wrong each, for the conformance kit to find.
        .executableTarget(
            name: "wrong-container", dependencies: ["ContainerRPC"], path: "Tests/wrong-container",
            swiftSettings: settings),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["ContainerConformance", "ContainerRPC", "TestSupport", "wrong-container"],
            swiftSettings: settings),
        .testTarget(name: "ExamplesTests", dependencies: ["DigitsModel"], swiftSettings: settings),
        // What the end-to-end tests run is found beside their bundle, so it has to be built with them.
        .executableTarget(
            name: "faulty-container",
            dependencies: ["ModelContainer", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Fixtures/faulty-container", swiftSettings: settings),
        // What the scheduler takes for a query, for Benchmarks/run: here, because that package sees no package types.
        .executableTarget(
            name: "scheduler-cost",
            dependencies: [
                "ContainerRPC", "QueryFrontend", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/scheduler-cost", swiftSettings: settings),
        // The real scheduler, sessions and cache in simulated worlds: for the tests, and for `swift run simulate`.
        .target(
            name: "Simulation", dependencies: ["ContainerRPC", "QueryFrontend"], path: "Tests/Simulation",
            swiftSettings: settings),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/simulate", swiftSettings: settings),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation"], swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "ContainerRPC", "DigitsModel", "clipper", "sum-container", "digits-container", "async-batch-container",
                "faulty-container", "TestSupport",
            ],
            swiftSettings: settings),
    ],
    cxxLanguageStandard: .cxx17
)
