// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import SwiftProtobuf

extension TranslatedResource {
    /// What the document holds, or why it cannot be passed on.
    static func make(_ raw: RawResource) -> Result<TranslatedResource, RawResourceFailure> {
        EnvoyTypes.register()
        do {
            let any = try Google_Protobuf_Any(jsonUTF8Bytes: Array(raw.json.utf8))
            let (kind, name, message) = try self.unpack(any)
            guard !name.isEmpty else { return .failure(RawResourceFailure("the resource has no name")) }
            let content = RawContent(kind: kind, message: message, json: raw.json)
            return .success(TranslatedResource(name: name, content: .raw(content), origin: raw.origin))
        } catch let failure as RawResourceFailure {
            return .failure(failure)
        } catch {
            return .failure(RawResourceFailure("\(error)"))
        }
    }

    private static func unpack(_ any: Google_Protobuf_Any) throws -> (Kind, String, any Message) {
        if any.isA(Envoy_Config_Cluster_V3_Cluster.self) {
            let cluster: Envoy_Config_Cluster_V3_Cluster = try self.normalized(any)
            return (.cluster, cluster.name, cluster)
        }
        if any.isA(Envoy_Config_Endpoint_V3_ClusterLoadAssignment.self) {
            let assignment: Envoy_Config_Endpoint_V3_ClusterLoadAssignment = try self.normalized(any)
            return (.endpoints, assignment.clusterName, assignment)
        }
        if any.isA(Envoy_Config_Listener_V3_Listener.self) {
            let listener: Envoy_Config_Listener_V3_Listener = try self.normalized(any)
            return (.listener, listener.name, listener)
        }
        if any.isA(Envoy_Config_Route_V3_RouteConfiguration.self) {
            let configuration: Envoy_Config_Route_V3_RouteConfiguration = try self.normalized(any)
            return (.routeConfiguration, configuration.name, configuration)
        }
        throw RawResourceFailure("'@type' is '\(any.typeURL)'")
    }

    /// Through its binary form: what stands in an `Any` inside stays JSON until then, readable or not.
    private static func normalized<M: Message>(_ any: Google_Protobuf_Any) throws -> M {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let bytes: [UInt8] = try M(unpackingAny: any).serializedBytes(options: options)
        return try M(serializedBytes: bytes)
    }
}

/// A message that somebody wrote. Equal if it was written equally.
struct RawContent: Sendable {
    let kind: TranslatedResource.Kind
    let message: any Message
    let json: String
}

extension RawContent: Equatable {
    static func == (left: RawContent, right: RawContent) -> Bool {
        left.kind == right.kind && left.json == right.json
    }
}

struct RawResourceFailure: Error, Equatable {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
