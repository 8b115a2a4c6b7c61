// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import TestSupport
import Testing
import XDSProtocol

private typealias SotWMessage = Envoy_Service_Discovery_V3_DiscoveryResponse
private typealias DeltaMessage = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse

/// Our own encoding against the library that generated code uses: what we write is what it reads.
@Suite struct WireTests {
    /// A response's content, chosen so that the lengths on the wire have one, two and three bytes.
    struct Content: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var type = TypeURL.cluster
        var nonce: Nonce = "1"
        var versionInfo = "17"
        var resources: [(name: String, message: [UInt8])] = []
        var removals: [ResourceName] = []

        var response: Response {
            Response(
                type: self.type,
                nonce: self.nonce,
                versionInfo: self.versionInfo,
                resources: self.resources.map {
                    Resource(type: self.type, name: ResourceName($0.name), message: $0.message)
                },
                removals: self.removals
            )
        }
    }

    static let contents: [Content] = [
        Content(testDescription: "nothing"),
        Content(testDescription: "empty texts", nonce: "", versionInfo: "", resources: [("", [])], removals: [""]),
        Content(testDescription: "one resource", resources: [("web", [8, 1])]),
        Content(
            testDescription: "many resources",
            resources: (0..<1_000).map { ("cluster-\($0)", Array("content of \($0)".utf8)) }
        ),
        Content(
            testDescription: "names of 126 to 129 bytes",
            resources: (126...129).map { (String(repeating: "n", count: $0), [1, 2, 3]) },
            removals: (126...129).map { ResourceName(String(repeating: "r", count: $0)) }
        ),
        Content(
            testDescription: "messages at the steps of a length's length",
            resources: [0, 1, 127, 128, 16_383, 16_384, 16_385, 2_097_151, 2_097_152].map {
                ("of \($0)", [UInt8](repeating: 0xA5, count: $0))
            }
        ),
        Content(
            testDescription: "every byte there is",
            resources: [("bytes", Array(UInt8.min...UInt8.max))]
        ),
        Content(
            testDescription: "texts beyond ASCII",
            nonce: "nönce",
            versionInfo: "версия",
            resources: [("größe/日本語?tag=\u{1F6A6}", Array("\u{1F6A6}".utf8))],
            removals: ["e\u{301}", "é", "\u{0}"]
        ),
        Content(testDescription: "removals only", removals: (0..<300).map { ResourceName("gone-\($0)") }),
        Content(
            testDescription: "a type that is not ours",
            type: .other("type.googleapis.com/acme.v1." + String(repeating: "T", count: 200)),
            resources: [("thing", [1])],
            removals: ["other"]
        ),
    ]

    @Test(arguments: contents)
    func `a state-of-the-world response reads as what was given`(content: Content) throws {
        let message = try SotWMessage(serializedBytes: content.response.encodedSotW())
        #expect(message == .content(content))
        // Nothing that the reader did not know and kept for later.
        #expect(message.unknownFields.data.isEmpty)
    }

    @Test(arguments: contents)
    func `a delta response reads as what was given`(content: Content) throws {
        let message = try DeltaMessage(serializedBytes: content.response.encodedDelta())
        #expect(message == .content(content))
        #expect(message.unknownFields.data.isEmpty)
    }

    @Test(arguments: TypeURL.known)
    func `a resource is an Any of its type`(type: TypeURL) throws {
        let response = Content(testDescription: "", type: type, resources: [("a", [1])]).response
        let message = try SotWMessage(serializedBytes: response.encodedSotW())
        #expect(message.typeURL == type.rawValue)
        #expect(message.resources.map(\.typeURL) == [type.rawValue])
        #expect(TypeURL(rawValue: message.typeURL) == type)
    }

    @Test func `a real message comes out of the Any as it went in`() throws {
        let cluster = Envoy_Config_Cluster_V3_Cluster.with {
            $0.name = "web"
            $0.type = .eds
            $0.connectTimeout = .init(seconds: 1, nanos: 5)
        }
        let resource = Resource(type: .cluster, name: "web", message: try cluster.serializedBytes())
        let response = Response(type: .cluster, nonce: "1", versionInfo: "1", resources: [resource], removals: [])
        let sotw = try SotWMessage(serializedBytes: response.encodedSotW())
        let delta = try DeltaMessage(serializedBytes: response.encodedDelta())
        #expect(try sotw.resources.map { try Envoy_Config_Cluster_V3_Cluster(unpackingAny: $0) } == [cluster])
        #expect(try delta.resources.map { try Envoy_Config_Cluster_V3_Cluster(unpackingAny: $0.resource) } == [cluster])
    }

    @Test func `one resource serves many responses`() throws {
        let resource = Resource(.cluster, "a", "content")
        let others = (0..<3).map { Resource(.cluster, "other \($0)", "x") }
        for count in 0...3 {
            let response = Response(
                type: .cluster,
                nonce: Nonce("\(count)"),
                versionInfo: "",
                resources: others.prefix(count) + [resource] + others.dropFirst(count),
                removals: []
            )
            let message = try DeltaMessage(serializedBytes: response.encodedDelta())
            #expect(message.resources.count == 4)
            #expect(message.resources[count].name == "a")
            #expect(message.resources[count].version == resource.version.description)
            #expect(Array(message.resources[count].resource.value) == Array("content".utf8))
        }
    }
}

extension SotWMessage {
    fileprivate static func content(_ content: WireTests.Content) -> SotWMessage {
        .with {
            $0.typeURL = content.type.rawValue
            $0.nonce = content.nonce.rawValue
            $0.versionInfo = content.versionInfo
            $0.resources = content.resources.map { resource in .any(content.type, resource.message) }
        }
    }
}

extension DeltaMessage {
    fileprivate static func content(_ content: WireTests.Content) -> DeltaMessage {
        .with {
            $0.typeURL = content.type.rawValue
            $0.nonce = content.nonce.rawValue
            $0.systemVersionInfo = content.versionInfo
            $0.resources = content.resources.map { resource in
                .with {
                    $0.name = resource.name
                    $0.version =
                        ResourceVersion(
                            type: content.type,
                            name: ResourceName(resource.name),
                            message: resource.message
                        ).description
                    $0.resource = .any(content.type, resource.message)
                }
            }
            $0.removedResources = content.removals.map(\.rawValue)
        }
    }
}

extension Google_Protobuf_Any {
    fileprivate static func any(_ type: TypeURL, _ message: [UInt8]) -> Google_Protobuf_Any {
        // From bytes, so that no Foundation is needed to say what the value is.
        var any = Google_Protobuf_Any()
        any.typeURL = type.rawValue
        any.value.append(contentsOf: message)
        return any
    }
}
