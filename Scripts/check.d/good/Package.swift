// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "example",
    targets: [
        .target(name: "Catalog", swiftSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "Routing", dependencies: ["Catalog"], swiftSettings: [.treatAllWarnings(as: .error)]),
        .testTarget(name: "GoodTests", swiftSettings: [.treatAllWarnings(as: .error)]),
    ]
)
