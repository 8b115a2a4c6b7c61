// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import XDSProtocol

/// Whether the bytes of a response say to swift-protobuf what the response means, and whether it means anything wrong.
struct ResponseCheck {
    private typealias SotWMessage = Envoy_Service_Discovery_V3_DiscoveryResponse
    private typealias DeltaMessage = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse
    private typealias Wrapper = Envoy_Service_Discovery_V3_Resource

    private let response: Response
    private(set) var failure: String?

    init(_ response: Response, _ variant: StreamStateMachine.Variant) {
        self.response = response
        let names = response.resources.map(\.name)
        self.expect(Set(names).count == names.count, "names a resource twice")
        self.expect(Set(names).isDisjoint(with: response.removals), "has a resource and removes it")
        self.expect(Set(response.removals).count == response.removals.count, "removes a resource twice")
        do {
            switch variant {
            case .sotw: try self.check(SotWMessage(serializedBytes: response.encodedSotW()))
            case .delta: try self.check(DeltaMessage(serializedBytes: response.encodedDelta()))
            }
        } catch {
            self.failure = "cannot be decoded: \(error)"
        }
    }

    private mutating func expect(_ isTrue: Bool, _ fault: @autoclosure () -> String) {
        if !isTrue, self.failure == nil { self.failure = "\(fault()): \(self.response)" }
    }

    private mutating func check(_ message: SotWMessage) throws {
        self.expect(message.typeURL == self.response.type.rawValue, "type")
        self.expect(message.nonce == self.response.nonce.rawValue, "nonce")
        self.expect(message.versionInfo == self.response.versionInfo, "version")
        self.expect(message.resources.count == self.response.resources.count, "number of resources")
        self.expect(self.response.removals.isEmpty && self.response.unknown.isEmpty, "is no delta")
        self.expect(self.response.aliases.isEmpty && self.response.heartbeats.isEmpty, "is no delta")
        for (any, resource) in zip(message.resources, self.response.resources) {
            guard resource.timeToLive != nil else {
                self.check(any, is: resource)
                continue
            }
            self.expect(any.typeURL.hasSuffix("/envoy.service.discovery.v3.Resource"), "wrapper")
            self.check(try Wrapper(serializedBytes: any.value), is: resource, aliases: [])
        }
    }

    private mutating func check(_ message: DeltaMessage) throws {
        self.expect(message.typeURL == self.response.type.rawValue, "type")
        self.expect(message.nonce == self.response.nonce.rawValue, "nonce")
        self.expect(message.systemVersionInfo == self.response.versionInfo, "version")
        self.expect(message.removedResources == self.response.removals.map(\.rawValue), "removals")
        var entries = message.resources[...]
        for resource in self.response.resources {
            guard let entry = entries.popFirst() else { break }
            self.check(entry, is: resource, aliases: self.response.aliases[resource.name] ?? [])
        }
        for resource in self.response.heartbeats {
            guard let entry = entries.popFirst() else { break }
            self.expect(entry.name == resource.name.rawValue && !entry.hasResource && entry.hasTtl, "heartbeat")
        }
        for name in self.response.unknown {
            guard let entry = entries.popFirst() else { break }
            self.expect(entry.name == name.rawValue && entry.aliases == [name.rawValue], "unknown name")
            self.expect(!entry.hasResource, "unknown name with a resource")
        }
        let count = [self.response.resources.count, self.response.heartbeats.count, self.response.unknown.count]
        self.expect(message.resources.count == count.reduce(0, +), "number of resources")
    }

    private mutating func check(_ entry: Wrapper, is resource: Resource, aliases: [ResourceName]) {
        self.expect(entry.name == resource.name.rawValue, "name")
        self.expect(entry.version == resource.version.description, "version of \(resource)")
        self.expect(entry.aliases == aliases.map(\.rawValue), "aliases of \(resource)")
        let milliseconds = Int64(entry.ttl.seconds) * 1_000 + Int64(entry.ttl.nanos) / 1_000_000
        self.expect(entry.hasTtl == (resource.timeToLive != nil), "time to live of \(resource)")
        self.expect(.milliseconds(milliseconds) == resource.timeToLive ?? .zero, "time to live of \(resource)")
        self.check(entry.resource, is: resource)
    }

    private mutating func check(_ any: Google_Protobuf_Any, is resource: Resource) {
        let entry = HostileWorld.byVersion[resource.version]
        self.expect(entry?.type == self.response.type, "type of \(resource)")
        self.expect(any.typeURL == self.response.type.rawValue, "type of \(resource)")
        self.expect(any.value.elementsEqual(entry?.message ?? []), "content of \(resource)")
    }
}
