// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "example",
    targets: [
        .target(name: "Yams", swiftSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "Catalog", dependencies: ["Yams"], swiftSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "Routing", dependencies: ["Catalog"], swiftSettings: [.treatAllWarnings(as: .error)]),
    ]
)
