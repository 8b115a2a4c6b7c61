// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import FoundationEssentials
import SwiftProtobuf

/// What one resource needs another for, by name, and has no use without.
struct ResourceReference: Hashable, Comparable, Sendable {
    let kind: TranslatedResource.Kind
    let name: String

    static func < (left: ResourceReference, right: ResourceReference) -> Bool {
        (left.kind.words, left.name) < (right.kind.words, right.name)
    }
}

extension TranslatedResource {
    var reference: ResourceReference { ResourceReference(kind: self.kind, name: self.name) }
}

extension Message {
    /// Everything that the message and what is packed inside names of what we would have to serve: not what comes from
    /// elsewhere, such as a file, and not what cannot be read.
    ///
    /// This looks at every field, so it is for messages that somebody wrote. Ours name what was made along with them.
    var references: Set<ResourceReference> {
        var collector = ReferenceCollector()
        collector.visit(self)
        return collector.references
    }
}

private typealias HTTP = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

/// Walks through a message. No method throws; the protocol wants them to.
private struct ReferenceCollector: Visitor {
    private(set) var references: Set<ResourceReference> = []

    mutating func visit(_ message: some Message) {
        if let packed = message as? Google_Protobuf_Any {
            self.visit(packed: packed)
            return
        }
        if let routes = message as? Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_ScopedRoutes,
            routes.hasRdsConfigSource, !routes.rdsConfigSource.isOurs
        {
            return
        }
        self.collect(message)
        try? message.traverse(visitor: &self)
    }

    /// What cannot be read names nothing: Envoy will say what it thinks of it.
    private mutating func visit(packed: Google_Protobuf_Any) {
        guard let type = Google_Protobuf_Any.messageType(forTypeURL: packed.typeURL),
            let message = try? type.init(unpackingAny: packed)
        else { return }
        self.visit(message)
    }

    private mutating func collect(_ message: some Message) {
        switch message {
        case let rds as Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_Rds:
            self.insert(.routeConfiguration, rds.routeConfigName, if: rds.configSource.isOurs)
        case let scope as Envoy_Config_Route_V3_ScopedRouteConfiguration:
            self.insert(.routeConfiguration, scope.routeConfigurationName)
        case let action as Envoy_Config_Route_V3_RouteAction:
            self.insert(.cluster, action.cluster)
        case let weight as Envoy_Config_Route_V3_WeightedCluster.ClusterWeight:
            self.insert(.cluster, weight.name)
        case let mirror as Envoy_Config_Route_V3_RouteAction.RequestMirrorPolicy:
            self.insert(.cluster, mirror.cluster)
        case let proxy as Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy:
            self.insert(.cluster, proxy.cluster)
        case let weight as Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.WeightedCluster.ClusterWeight:
            self.insert(.cluster, weight.name)
        case let secret as Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig:
            self.insert(.secret, secret.name, if: secret.sdsConfig.isOurs)
        case let filter as Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter:
            self.insert(.extensionConfig, filter.name, if: filter.configDiscovery.isNeeded)
        case let filter as Envoy_Config_Listener_V3_Filter:
            self.insert(.extensionConfig, filter.name, if: filter.configDiscovery.isNeeded)
        case let filter as Envoy_Config_Listener_V3_ListenerFilter:
            self.insert(.extensionConfig, filter.name, if: filter.configDiscovery.isNeeded)
        default:
            break
        }
    }

    private mutating func insert(_ kind: TranslatedResource.Kind, _ name: String, if isOurs: Bool = true) {
        // Empty is a field that is not set. The control plane's own cluster is in every bootstrap.
        guard isOurs, !name.isEmpty, kind != .cluster || name != controlPlaneClusterName else { return }
        self.references.insert(ResourceReference(kind: kind, name: name))
    }

    mutating func visitSingularMessageField<M: Message>(value: M, fieldNumber: Int) throws {
        self.visit(value)
    }

    mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufMessageMap<KeyType, ValueType>.Type,
        value: _ProtobufMessageMap<KeyType, ValueType>.BaseType,
        fieldNumber: Int
    ) throws {
        for message in value.values { self.visit(message) }
    }

    // What is no message names nothing by itself.

    mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) throws {}
    mutating func visitSingularInt64Field(value: Int64, fieldNumber: Int) throws {}
    mutating func visitSingularUInt64Field(value: UInt64, fieldNumber: Int) throws {}
    mutating func visitSingularBoolField(value: Bool, fieldNumber: Int) throws {}
    mutating func visitSingularStringField(value: String, fieldNumber: Int) throws {}
    mutating func visitSingularBytesField(value: Data, fieldNumber: Int) throws {}
    mutating func visitSingularEnumField<E: SwiftProtobuf.Enum>(value: E, fieldNumber: Int) throws {}
    mutating func visitUnknown(bytes: Data) throws {}

    mutating func visitMapField<KeyType, ValueType: MapValueType>(
        fieldType: _ProtobufMap<KeyType, ValueType>.Type,
        value: _ProtobufMap<KeyType, ValueType>.BaseType,
        fieldNumber: Int
    ) throws {}

    mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufEnumMap<KeyType, ValueType>.Type,
        value: _ProtobufEnumMap<KeyType, ValueType>.BaseType,
        fieldNumber: Int
    ) throws {}
}

extension Envoy_Config_Core_V3_ConfigSource {
    /// Whether what it is the source of is asked of us.
    fileprivate var isOurs: Bool {
        switch self.configSourceSpecifier {
        case .ads, .self_p: true
        case .apiConfigSource(let source):
            source.grpcServices.contains { $0.envoyGrpc.clusterName == controlPlaneClusterName }
        case .path, .pathConfigSource, nil: false
        }
    }
}

extension Envoy_Config_Core_V3_ExtensionConfigSource {
    /// Whether a filter does not work until we have sent it.
    fileprivate var isNeeded: Bool { self.configSource.isOurs && !self.hasDefaultConfig }
}
