// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "example",
    targets: [
        .target(name: "Catalog"),
        .target(name: "Routing", dependencies: ["Catalog"], swiftSettings: [.treatAllWarnings(as: .error)]),
    ]
)
