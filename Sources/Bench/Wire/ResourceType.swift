// SPDX-License-Identifier: Apache-2.0

import XDSProtocol

/// The types that a simulated proxy asks for. The raw value is an index.
enum ResourceType: Int, CaseIterable {
    case cluster
    case endpoints
    case listener
    case route

    private static let urls: [[UInt8]] = allCases.map { Array($0.typeURL.rawValue.utf8) }

    /// Nil for another type.
    init?(url: UnsafeRawBufferPointer) {
        guard let index = Self.urls.firstIndex(where: { $0.elementsEqual(url) }) else { return nil }
        self.init(rawValue: index)
    }

    var url: [UInt8] { Self.urls[self.rawValue] }

    private var typeURL: TypeURL {
        switch self {
        case .cluster: .cluster
        case .endpoints: .endpoints
        case .listener: .listener
        case .route: .routeConfiguration
        }
    }
}

/// How a stream is spoken to.
package enum Variant: String, CaseIterable, Sendable {
    case delta
    case sotw

    /// The method of the aggregated discovery service.
    var path: String {
        let service = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
        return switch self {
        case .delta: service + "DeltaAggregatedResources"
        case .sotw: service + "StreamAggregatedResources"
        }
    }
}
