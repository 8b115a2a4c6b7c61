// SPDX-License-Identifier: Apache-2.0

/// A `DiscoveryResponse` or `DeltaDiscoveryResponse` as far as a simulated proxy looks at it. Points into the bytes that it
/// was made from.
///
/// Both messages have the same numbers for what they share: 1 version, 2 resources, 4 type URL, 5 nonce.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/discovery/v3/discovery.proto
struct ReceivedResponse {
    /// One resource: its name and what tells its content from another.
    struct Resource {
        var name: UnsafeRawBufferPointer
        var fingerprint: UInt64
    }

    let type: ResourceType
    private(set) var versionInfo = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var nonce = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Delta only.
    private(set) var removals = 0
    private let variant: Variant
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer, variant: Variant) throws(MalformedMessage) {
        self.bytes = bytes
        self.variant = variant
        var type: ResourceType?
        var reader = WireReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: self.versionInfo = field.content
            case 4:
                type = ResourceType(url: field.content)
                guard type != nil else {
                    let url = String(decoding: field.content, as: UTF8.self)
                    throw MalformedMessage(description: "a type that was not asked for: \(url)")
                }
            case 5: self.nonce = field.content
            case 6 where variant == .delta: self.removals += 1
            default: continue
            }
        }
        guard let type else { throw MalformedMessage(description: "a response without a type URL") }
        self.type = type
    }

    /// Calls `body` for each resource, in their order.
    func forEachResource(_ body: (Resource) -> Void) throws(MalformedMessage) {
        var reader = WireReader(self.bytes)
        while let field = try reader.next() {
            guard field.number == 2 else { continue }
            switch self.variant {
            case .delta: body(try Self.deltaResource(field.content))
            case .sotw: body(try Self.sotwResource(field.content))
            }
        }
    }

    /// A `Resource` has a name (3) and a version (1), which is all that a delta client compares.
    private static func deltaResource(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> Resource {
        var resource = Resource(name: UnsafeRawBufferPointer(start: nil, count: 0), fingerprint: 0)
        var reader = WireReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: resource.fingerprint = fingerprint(of: field.content)
            case 3: resource.name = field.content
            default: continue
            }
        }
        return resource
    }

    /// An `Any` has no name of its own. The types of `ResourceType` have theirs in field 1.
    private static func sotwResource(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> Resource {
        let message = try WireReader.first(2, in: bytes)
        return Resource(name: try WireReader.first(1, in: message), fingerprint: fingerprint(of: bytes))
    }
}
