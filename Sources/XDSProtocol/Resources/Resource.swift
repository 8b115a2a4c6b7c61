// SPDX-License-Identifier: Apache-2.0

/// A resource as it goes over the wire: encoded once, when its content changes, and spliced into every response.
///
/// `frame` is the resource's whole entry in a delta response, and its tail is the whole entry in a state-of-the-world
/// response: in both messages the entries are field 2, and in the delta's `Resource` the payload is field 2 as well, so
/// that the same bytes, tag included, serve both when the payload is written last.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/discovery/v3/discovery.proto
///
/// A class, because every snapshot, stream and response that has it shares the one object: what a stream remembers of a
/// resource is a pointer.
package final class Resource: Sendable {
    package let name: ResourceName
    package let version: ResourceVersion
    /// Where the operator finds what it was made from, for reports. Not part of what is compared.
    package let origins: [String]
    /// How long a client keeps it without hearing of it again; nil: for ever.
    /// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol#ttl
    package let timeToLive: Duration?
    /// Whether only those get it who ask for it by name, and not who asks for everything.
    package let isOnDemand: Bool
    private let frame: [UInt8]
    private let payloadOffset: Int

    /// - Parameter message: the serialized resource, without its `Any` wrapping.
    package init(
        type: TypeURL,
        name: ResourceName,
        message: [UInt8],
        origins: [String] = [],
        timeToLive: Duration? = nil,
        isOnDemand: Bool = false
    ) {
        self.name = name
        self.origins = origins
        self.timeToLive = timeToLive
        self.isOnDemand = isOnDemand
        self.version = ResourceVersion(
            type: type,
            name: name,
            message: message,
            timeToLive: timeToLive,
            isOnDemand: isOnDemand
        )

        var any = WireWriter()
        any.field(1, type.rawValue)
        any.field(2, message)
        var payload = WireWriter()
        payload.field(2, any.bytes)

        let header = Self.header(name: name, version: self.version, timeToLive: timeToLive)
        var entry = WireWriter()
        entry.tag(2, length: header.bytes.count + payload.bytes.count)
        entry.append(header.bytes)
        self.payloadOffset = entry.bytes.count
        entry.append(payload.bytes)
        self.frame = entry.bytes
    }

    private init(_ resource: Resource, origins: [String]) {
        self.name = resource.name
        self.version = resource.version
        self.origins = origins
        self.timeToLive = resource.timeToLive
        self.isOnDemand = resource.isOnDemand
        self.frame = resource.frame
        self.payloadOffset = resource.payloadOffset
    }

    /// The same resource, bytes and all, made from what is now somewhere else.
    package func moved(to origins: [String]) -> Resource {
        Resource(self, origins: origins)
    }

    /// The entry in `DeltaDiscoveryResponse.resources`, with its tag.
    package var deltaEntry: ArraySlice<UInt8> { self.frame[...] }

    /// The entry in `DiscoveryResponse.resources`, with its tag. One that expires is wrapped once more, because an `Any`
    /// has no room for its time to live.
    package var sotwEntry: ArraySlice<UInt8> {
        let payload = self.frame[self.payloadOffset...]
        guard self.timeToLive != nil else { return payload }
        var wrapped = Self.header(name: self.name, version: self.version, timeToLive: self.timeToLive)
        wrapped.append(payload)
        var any = WireWriter()
        any.field(1, "type.googleapis.com/envoy.service.discovery.v3.Resource")
        any.field(2, wrapped.bytes)
        var entry = WireWriter()
        entry.field(2, any.bytes)
        return entry.bytes[...]
    }

    /// Bytes of its delta entry, and about those of its state-of-the-world entry: to make room.
    var entryBytes: Int { self.frame.count }

    /// A delta entry that tells under which other names it was asked for.
    package func deltaEntry(aliases: [ResourceName]) -> [UInt8] {
        var header = Self.header(name: self.name, version: self.version, timeToLive: self.timeToLive)
        for alias in aliases { header.field(4, alias.rawValue) }
        let payload = self.frame[self.payloadOffset...]
        var entry = WireWriter()
        entry.tag(2, length: header.bytes.count + payload.count)
        entry.append(header.bytes)
        entry.append(payload)
        return entry.bytes
    }

    /// A delta entry without the resource: it is still there, and its time begins anew.
    package var heartbeatEntry: [UInt8] {
        var entry = WireWriter()
        entry.field(2, Self.header(name: self.name, version: self.version, timeToLive: self.timeToLive).bytes)
        return entry.bytes
    }

    /// A delta entry that says of a name that it leads to nothing: an alias of itself, without a resource.
    package static func unknownEntry(_ name: ResourceName) -> [UInt8] {
        var header = WireWriter()
        header.field(3, name.rawValue)
        header.field(4, name.rawValue)
        var entry = WireWriter()
        entry.field(2, header.bytes)
        return entry.bytes
    }

    private static func header(name: ResourceName, version: ResourceVersion, timeToLive: Duration?) -> WireWriter {
        var header = WireWriter()
        header.field(3, name.rawValue)
        header.field(1, version.description)
        if let timeToLive { header.field(6, timeToLive) }
        return header
    }
}

/// Equal by version: that is what a content hash is for.
extension Resource: Equatable {
    package static func == (left: Resource, right: Resource) -> Bool {
        left === right || (left.name == right.name && left.version == right.version)
    }
}

extension Resource: CustomStringConvertible {
    package var description: String { "\(self.name)@\(self.version)" }
}
