// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// What is found out only when it is known which gateways share a proxy, and how that proxy talks to us.
extension Diagnostic {
    static func taken(_ message: String, cure: String, by gateway: GatewayTopology) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB204",
            subject: "gateway/\(gateway.name)",
            message: message,
            cure: cure,
            origin: gateway.origin
        )
    }

    /// - Parameter isKept: whether there is something to go back to.
    static func unusable(_ raw: RawResource, _ failure: RawResourceFailure, isKept: Bool) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB208",
            subject: "envoy-resource/\(raw.name)",
            message: "the resource cannot be passed on: \(failure.reason)"
                + (isKept ? "; its last good version stays published" : ""),
            cure: "write a resource of Envoy's v3 API with a name of its own, in protobuf's JSON form with '@type': "
                + EnvoyTypes.resourceNames.joined(separator: ", "),
            origin: raw.origin
        )
    }

    static func unknownLoadBalancer(of target: Target, in gateway: GatewayTopology) -> Diagnostic {
        Diagnostic(
            .warning,
            code: "SB210",
            subject: "service-defaults/\(target.id.service)",
            message: "cluster '\(target.id.clusterName)' of gateway '\(gateway.name)' uses round_robin: "
                + "gRPC clients of a proxyless listener do not know \(target.settings.loadBalancer.rawValue)",
            cure: "use round_robin or ring_hash, or give the clients a gateway without other proxies",
            origin: target.origin ?? gateway.origin
        )
    }

    static func noClustersOnDemand(in gateway: GatewayTopology) -> Diagnostic {
        Diagnostic(
            .warning,
            code: "SB211",
            subject: "gateway/\(gateway.name)",
            message: "proxies with state-of-the-world streams hold every cluster of the gateway: "
                + "Envoy asks for clusters on demand in the delta variant only",
            cure: "let these proxies use delta streams, as 'signalbox bootstrap' makes them, or write clusters: all",
            origin: gateway.origin
        )
    }
}
