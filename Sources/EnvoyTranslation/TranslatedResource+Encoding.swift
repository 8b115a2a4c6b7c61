// SPDX-License-Identifier: Apache-2.0

import Catalog
import SwiftProtobuf
package import XDSProtocol

extension TranslatedResource {
    /// As it goes over the wire.
    package var encoded: Resource {
        Resource(
            type: TypeURL(self.kind),
            name: ResourceName(self.name),
            message: self.message.deterministicBytes,
            origins: self.namedOrigins,
            timeToLive: self.timeToLive,
            isOnDemand: self.isOnDemand
        )
    }

    /// What a report can name: a route configuration may be made of thousands of routes.
    package var namedOrigins: [String] { self.origins.prefix(100).map(\.description) }

    /// In protobuf's JSON form, for people. `EnvoyTypes.register()` must have been called.
    package var json: String {
        get throws { try self.message.jsonString() }
    }
}

extension TypeURL {
    package init(_ kind: TranslatedResource.Kind) {
        switch kind {
        case .cluster: self = .cluster
        case .endpoints: self = .endpoints
        case .listener: self = .listener
        case .routeConfiguration: self = .routeConfiguration
        case .virtualHost: self = .virtualHost
        case .scopedRouteConfiguration: self = .scopedRouteConfiguration
        case .secret: self = .secret
        case .runtime: self = .runtime
        case .extensionConfig: self = .extensionConfig
        }
    }
}

extension Message {
    /// Maps in a fixed order: the bytes are hashed for the version.
    fileprivate var deterministicBytes: [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        do {
            return try self.serializedBytes(partial: true, options: options)
        } catch {
            preconditionFailure("serialization checks required fields only, and not when partial: \(error)")
        }
    }
}
