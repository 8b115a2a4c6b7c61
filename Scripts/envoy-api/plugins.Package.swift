// swift-tools-version:6.2
// Builds the two protoc plugins at the versions that the project's own Package.swift names. See ../generate-envoy-api.
import PackageDescription

let package = Package(
    name: "plugins",
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
    ],
    targets: [.executableTarget(name: "Nothing")]
)
