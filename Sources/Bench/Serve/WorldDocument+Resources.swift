// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import HashTreeCollections
import SwiftProtobuf
import XDSProtocol

/// Envoy's messages for what a document says. Nothing in them depends on anything else, so that equal content has equal
/// bytes. Endpoints and routes come over the aggregated stream, whichever stream asks.
extension WorldDocument {
    /// Every resource, by type.
    var resources: [TypeURL: Snapshot.Resources] {
        var resources: [TypeURL: Snapshot.Resources] = [:]
        for service in self.services {
            let (cluster, endpoints) = (service.cluster, service.endpointsResource)
            resources[.cluster, default: [:]][cluster.name] = cluster
            resources[.endpoints, default: [:]][endpoints.name] = endpoints
        }
        for listener in self.listeners.map(\.resource) { resources[.listener, default: [:]][listener.name] = listener }
        for route in self.routes.map(\.resource) { resources[.routeConfiguration, default: [:]][route.name] = route }
        return resources
    }
}

extension WorldDocument.Service {
    var cluster: Resource {
        let message = Envoy_Config_Cluster_V3_Cluster.with {
            $0.name = self.name
            $0.type = .eds
            $0.edsClusterConfig.edsConfig = .aggregated
            $0.connectTimeout = .init(
                seconds: Int64(self.connectTimeoutMilliseconds / 1_000),
                nanos: Int32(self.connectTimeoutMilliseconds % 1_000) * 1_000_000
            )
        }
        return Resource(type: .cluster, name: self.name, encoding: message)
    }

    var endpointsResource: Resource {
        let message = Envoy_Config_Endpoint_V3_ClusterLoadAssignment.with {
            $0.clusterName = self.name
            guard !self.endpoints.isEmpty else { return }
            $0.endpoints = [
                .with {
                    $0.lbEndpoints = self.endpoints.map { endpoint in
                        .with { $0.endpoint.address = .init(endpoint.address, port: endpoint.port) }
                    }
                }
            ]
        }
        return Resource(type: .endpoints, name: self.name, encoding: message)
    }
}

extension WorldDocument.Listener {
    var resource: Resource {
        let manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.with {
            $0.statPrefix = "http"
            $0.rds.routeConfigName = self.route
            $0.rds.configSource = .aggregated
            $0.httpFilters = [
                .with {
                    $0.name = "envoy.filters.http.router"
                    $0.typedConfig = .init(packing: Envoy_Extensions_Filters_Http_Router_V3_Router())
                }
            ]
        }
        let message = Envoy_Config_Listener_V3_Listener.with {
            $0.name = self.name
            $0.address = .init("0.0.0.0", port: self.port)
            $0.filterChains = [
                .with {
                    $0.filters = [
                        .with {
                            $0.name = "envoy.filters.network.http_connection_manager"
                            $0.typedConfig = .init(packing: manager)
                        }
                    ]
                }
            ]
        }
        return Resource(type: .listener, name: self.name, encoding: message)
    }
}

extension WorldDocument.Route {
    var resource: Resource {
        let message = Envoy_Config_Route_V3_RouteConfiguration.with {
            $0.name = self.name
            $0.virtualHosts = self.virtualHosts.map { host in
                .with {
                    $0.name = host.name
                    $0.domains = host.domains
                    $0.routes = [
                        .with {
                            $0.match.prefix = host.prefix
                            $0.route.cluster = host.service
                        }
                    ]
                }
            }
        }
        return Resource(type: .routeConfiguration, name: self.name, encoding: message)
    }
}

extension Resource {
    fileprivate convenience init(type: TypeURL, name: String, encoding message: some Message) {
        do {
            var options = BinaryEncodingOptions()
            options.useDeterministicOrdering = true
            let bytes: [UInt8] = try message.serializedBytes(partial: true, options: options)
            self.init(type: type, name: ResourceName(name), message: bytes)
        } catch {
            preconditionFailure("serialization checks required fields only, and not when partial: \(error)")
        }
    }
}

extension Envoy_Config_Core_V3_ConfigSource {
    fileprivate static var aggregated: Self {
        .with {
            $0.resourceApiVersion = .v3
            $0.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
        }
    }
}

extension Envoy_Config_Core_V3_Address {
    fileprivate init(_ address: String, port: UInt16) {
        self.init()
        self.socketAddress.address = address
        self.socketAddress.portValue = UInt32(port)
    }
}

extension Google_Protobuf_Any {
    fileprivate init(packing message: some Message) {
        do {
            try self.init(message: message, partial: true)
        } catch {
            preconditionFailure("packing checks required fields only, and not when partial: \(error)")
        }
    }
}
