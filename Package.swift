// swift-tools-version:6.2
import PackageDescription

/// What every hand-written target is compiled with: see docs/style.md, "Settings".
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Generated code: no warnings policy of ours.
let generated: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let asyncAlgorithms: Target.Dependency = .product(name: "AsyncAlgorithms", package: "swift-async-algorithms")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grpcCore: Target.Dependency = .product(name: "GRPCCore", package: "grpc-swift-2")
let grpcProtobuf: Target.Dependency = .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let grpcTransport: Target.Dependency = .product(
    name: "GRPCNIOTransportHTTP2Posix",
    package: "grpc-swift-nio-transport"
)
let deques: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heaps: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let hashTrees: Target.Dependency = .product(name: "HashTreeCollections", package: "swift-collections")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let metricsTestKit: Target.Dependency = .product(name: "MetricsTestKit", package: "swift-metrics")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioExtras: Target.Dependency = .product(name: "NIOExtras", package: "swift-nio-extras")
let nioHPACK: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let swiftProtobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A release carries Swift's libraries in itself: it needs nothing beside it that is not in every Debian but RE2, and begins
/// with two thirds of the memory, most of which were tables to find the parts of those libraries by name.
let carriedLibraries = [
    "Foundation", "FoundationInternationalization", "_FoundationICU", "FoundationEssentials", "_FoundationCShims",
    "_FoundationCollections", "CoreFoundation", "swiftSynchronization", "swiftDispatch", "dispatch", "BlocksRuntime",
    "swift_StringProcessing", "swift_RegexParser", "swift_Builtin_float", "stdc++",
]
let carriesLibraries = LinkerSetting.unsafeFlags(
    ["-static-stdlib", "-use-ld=lld"] + carriedLibraries.map { "-l\($0)" }
        + ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "--no-export-dynamic"]
        // What a server calls at all lies side by side. It was spread over everything, and the kernel maps 64 kB around what
        // is called: two thirds of the text were resident.
        + ["-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Scripts/hot-functions.d/order.txt"]
        + ["-Xlinker", "--no-warn-symbol-ordering"]
        // Functions without a symbol, which cannot be in that list, lie together before all others.
        + ["-Xlinker", "--script=\(Context.packageDirectory)/Scripts/hot-functions.d/nameless.ld"],
    .when(platforms: [.linux], configuration: .release)
)

let package = Package(
    name: "signalbox",
    products: [
        .executable(name: "signalbox", targets: ["signalbox"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/grpc/grpc-swift-2", exact: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", exact: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // The pure core: values and synchronous functions.
        .target(name: "Catalog", swiftSettings: settings),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "Routing", dependencies: ["Catalog", "CRE2"], swiftSettings: settings),
        .target(name: "Documents", dependencies: ["Catalog", "Routing", yams], swiftSettings: settings),
        // What the catalog itself says about routing: tags of services, and Consul's config entries.
        .target(name: "ServicePolicy", dependencies: ["Catalog", "Routing"], swiftSettings: settings),
        .target(name: "XDSProtocol", dependencies: [hashTrees, crypto], swiftSettings: settings),
        .target(
            name: "EnvoyTranslation",
            dependencies: ["Catalog", "Routing", "XDSProtocol", "EnvoyAPI", swiftProtobuf],
            swiftSettings: settings
        ),

        // Generated by Scripts/generate-envoy-api. The second holds what the server does not link yet.
        .target(name: "EnvoyAPI", dependencies: [swiftProtobuf, grpcCore, grpcProtobuf], swiftSettings: generated),
        .target(
            name: "EnvoyExtensionsAPI",
            dependencies: ["EnvoyAPI", swiftProtobuf, grpcCore, grpcProtobuf],
            swiftSettings: generated
        ),

        // The shell: I/O at the two ends.
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CMalloc"),
        .target(
            name: "HashiCorpAPI",
            dependencies: [
                asyncHTTPClient, logging, nioCore, nioHPACK, nioHTTP1, nioHTTP2, nioPosix, nioSSL, nioTLS,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Discovery",
            dependencies: [
                "Catalog", "HashiCorpAPI", asyncAlgorithms, crypto, deques, heaps, logging, metrics, nioCore, nioPosix,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "XDSServer",
            dependencies: [
                "CMalloc", "XDSProtocol", "EnvoyAPI", deques, swiftProtobuf, grpcCore, nioCore, nioExtras, nioHPACK,
                nioHTTP2, nioPosix, lifecycle, logging, metrics,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ControlPlane",
            dependencies: [
                "Catalog", "Routing", "Documents", "Discovery", "EnvoyTranslation", "ServicePolicy", "XDSProtocol",
                "XDSServer", hashTrees, lifecycle, logging, metrics,
            ],
            swiftSettings: settings
        ),
        .target(name: "Telemetry", dependencies: [logging, coreMetrics], swiftSettings: settings),
        .target(
            name: "Admin",
            dependencies: [
                "Catalog", "ControlPlane", "XDSServer", "XDSProtocol", hashTrees, hummingbird, httpTypes, lifecycle,
                logging, nioCore,
            ],
            swiftSettings: settings
        ),
        // Made-up fleets and the proxies that measure how they are served.
        .target(
            name: "Bench",
            dependencies: [
                "CEpoll", "XDSProtocol", "XDSServer", "EnvoyAPI", hashTrees, hummingbird, httpTypes, lifecycle, logging,
                nioCore, nioHPACK, swiftProtobuf,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Commands",
            dependencies: [
                "Admin", "Bench", "Catalog", "ControlPlane", "Discovery", "Documents", "EnvoyTranslation",
                "HashiCorpAPI",
                "Routing", "ServicePolicy", "Telemetry", "XDSProtocol", "XDSServer", argumentParser, asyncHTTPClient,
                configuration, lifecycle, logging,
                metrics, nioCore, nioHTTP1,
                systemPackage, unixSignals, yams,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "signalbox",
            dependencies: ["Commands", argumentParser],
            swiftSettings: settings,
            linkerSettings: [carriesLibraries]
        ),

        // For tests only.
        .target(name: "TestSupport", dependencies: ["XDSProtocol", hashTrees], swiftSettings: settings),
        .testTarget(
            name: "XDSProtocolTests",
            dependencies: ["XDSProtocol", "TestSupport", "EnvoyAPI", hashTrees, swiftProtobuf],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XDSServerTests",
            dependencies: [
                "XDSProtocol", "XDSServer", "TestSupport", "EnvoyAPI", hashTrees, lifecycle, swiftProtobuf, grpcCore,
                grpcProtobuf, grpcTransport, logging, nioCore, nioEmbedded, nioHPACK, nioHTTP2, nioPosix, coreMetrics,
                metricsTestKit,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BenchTests",
            dependencies: [
                "Bench", "XDSProtocol", "EnvoyAPI", hashTrees, nioCore, nioEmbedded, nioHPACK, nioHTTP2, swiftProtobuf,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ControlPlaneTests",
            dependencies: [
                "Catalog", "ControlPlane", "Discovery", "Documents", "EnvoyTranslation", "Routing", "ServicePolicy",
                "XDSProtocol",
                "XDSServer", "EnvoyAPI", "TestSupport", hashTrees, logging, swiftProtobuf,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "RoutingTests", dependencies: ["Catalog", "Routing"], swiftSettings: settings),
        .testTarget(
            name: "DocumentsTests",
            dependencies: ["Catalog", "Documents", "Routing", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EnvoyTranslationTests",
            dependencies: ["Catalog", "Routing", "XDSProtocol", "EnvoyAPI", "EnvoyTranslation", swiftProtobuf],
            exclude: ["Goldens"],
            swiftSettings: settings
        ),
        .testTarget(name: "CatalogTests", dependencies: ["Catalog", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "ServicePolicyTests",
            dependencies: ["Catalog", "EnvoyTranslation", "Routing", "ServicePolicy", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HashiCorpAPITests",
            dependencies: [
                "HashiCorpAPI", "TestSupport", asyncHTTPClient, logging, nioCore, nioHPACK, nioHTTP1, nioHTTP2,
                nioPosix,
                nioSSL,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DiscoveryTests",
            dependencies: [
                "Catalog", "Discovery", "HashiCorpAPI", "TestSupport", crypto, logging, nioCore, nioHTTP1, nioPosix,
            ],
            swiftSettings: settings
        ),
        // Random and hostile input: `make fuzz`.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Catalog", "Documents", "EnvoyAPI", "Routing", "ServicePolicy", "TestSupport", "XDSProtocol",
                "XDSServer",
                hashTrees, grpcCore, nioCore, swiftProtobuf, systemPackage,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TelemetryTests",
            dependencies: ["Telemetry", coreMetrics, logging],
            swiftSettings: settings
        ),
    ]
)
