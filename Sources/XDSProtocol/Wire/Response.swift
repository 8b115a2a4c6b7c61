// SPDX-License-Identifier: Apache-2.0

/// What a stream state machine wants sent: a `DiscoveryResponse` or a `DeltaDiscoveryResponse`.
package struct Response: Equatable, Sendable {
    package var type: TypeURL
    package var nonce: Nonce
    /// SotW: `version_info`. Delta: `system_version_info`, which is for debugging only.
    package var versionInfo: String
    package var resources: [Resource]
    /// Delta only.
    package var removals: [ResourceName]
    /// Delta only: names of which the client is told that they lead to no resource, without `removed_resources`.
    package var unknown: [ResourceName] = []
    /// Delta only: under which names a resource was asked for, if by others than its own.
    package var aliases: [ResourceName: [ResourceName]] = [:]
    /// Delta only: resources that are still there, so that their time begins anew.
    package var heartbeats: [Resource] = []

    package init(type: TypeURL, nonce: Nonce, versionInfo: String, resources: [Resource], removals: [ResourceName]) {
        self.type = type
        self.nonce = nonce
        self.versionInfo = versionInfo
        self.resources = resources
        self.removals = removals
    }

    init(type: TypeURL, nonce: Nonce, versionInfo: String, _ next: TypeState.Next) {
        self.init(
            type: type,
            nonce: nonce,
            versionInfo: versionInfo,
            resources: next.upserts,
            removals: next.removals
        )
        self.unknown = next.unknown
        self.aliases = next.aliases
        self.heartbeats = next.heartbeats
    }

    /// As a serialized `envoy.service.discovery.v3.DiscoveryResponse`.
    package func encodedSotW() -> [UInt8] {
        var writer = WireWriter()
        writer.reserve(self.resources.reduce(256) { $0 + $1.entryBytes })
        writer.field(1, self.versionInfo)
        for resource in self.resources { writer.append(resource.sotwEntry) }
        writer.field(4, self.type.rawValue)
        writer.field(5, self.nonce.rawValue)
        return writer.bytes
    }

    /// As a serialized `envoy.service.discovery.v3.DeltaDiscoveryResponse`.
    package func encodedDelta() -> [UInt8] {
        var writer = WireWriter()
        let removalBytes = self.removals.reduce(256) { $0 + $1.rawValue.utf8.count + 6 }
        writer.reserve(self.resources.reduce(removalBytes) { $0 + $1.entryBytes })
        writer.field(1, self.versionInfo)
        if self.aliases.isEmpty {
            for resource in self.resources { writer.append(resource.deltaEntry) }
        } else {
            for resource in self.resources {
                writer.append(resource.deltaEntry(aliases: self.aliases[resource.name] ?? []))
            }
        }
        for resource in self.heartbeats { writer.append(resource.heartbeatEntry) }
        for name in self.unknown { writer.append(Resource.unknownEntry(name)) }
        writer.field(4, self.type.rawValue)
        writer.field(5, self.nonce.rawValue)
        for name in self.removals { writer.field(6, name.rawValue) }
        return writer.bytes
    }
}
