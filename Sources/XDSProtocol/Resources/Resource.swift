// SPDX-License-Identifier: Apache-2.0

/// A resource as it goes over the wire: encoded once, when its content changes, and spliced into every response.
///
/// `frame` is the resource's whole entry in a delta response, and its tail is the whole entry in a state-of-the-world
/// response: in both messages the entries are field 2, and in the delta's `Resource` the payload is field 2 as well, so
/// that the same bytes, tag included, serve both when the payload is written last.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/discovery/v3/discovery.proto
package struct Resource: Sendable {
    package let name: ResourceName
    package let version: ResourceVersion
    /// Where the operator finds what it was made from, for reports. Not part of what is compared.
    package let origin: String?
    private let frame: [UInt8]
    private let payloadOffset: Int

    /// - Parameter message: the serialized resource, without its `Any` wrapping.
    package init(type: TypeURL, name: ResourceName, message: [UInt8], origin: String? = nil) {
        self.name = name
        self.origin = origin
        self.version = ResourceVersion(type: type, name: name, message: message)

        var any = WireWriter()
        any.field(1, type.rawValue)
        any.field(2, message)
        var payload = WireWriter()
        payload.field(2, any.bytes)

        var header = WireWriter()
        header.field(3, name.rawValue)
        header.field(1, self.version.description)
        var entry = WireWriter()
        entry.tag(2, length: header.bytes.count + payload.bytes.count)
        entry.append(header.bytes)
        self.payloadOffset = entry.bytes.count
        entry.append(payload.bytes)
        self.frame = entry.bytes
    }

    /// The entry in `DeltaDiscoveryResponse.resources`, with its tag.
    package var deltaEntry: ArraySlice<UInt8> { self.frame[...] }

    /// The entry in `DiscoveryResponse.resources`, with its tag.
    package var sotwEntry: ArraySlice<UInt8> { self.frame[self.payloadOffset...] }
}

/// Equal by version: that is what a content hash is for.
extension Resource: Equatable {
    package static func == (left: Resource, right: Resource) -> Bool {
        left.name == right.name && left.version == right.version
    }
}

extension Resource: CustomStringConvertible {
    package var description: String { "\(self.name)@\(self.version)" }
}
