// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import SwiftProtobuf

extension Envoy_Config_Route_V3_RouteAction {
    /// Of backends that do not all have weight 0.
    init(_ forward: Route.Forward, of path: Match.PathMatch, for client: RouteClient) {
        self.init()
        if forward.backends.count == 1, !forward.backends[0].editsHeaders {
            self.cluster = forward.backends[0].target.clusterName
        } else {
            self.weightedClusters.clusters = forward.backends.map { .init($0) }
        }
        if let hostname = forward.rewrite?.hostname {
            self.hostRewriteLiteral = hostname
        }
        switch forward.rewrite?.path.map({ PathSubstitution($0, of: path) }) {
        case .whole(let path): self.regexRewrite = .init(wholePathWith: path)
        case .prefix(let prefix): self.prefixRewrite = prefix
        case .removal(let pattern): self.regexRewrite = .init(pattern: pattern, substitution: "/")
        case nil: break
        }
        if let timeout = forward.timeout {
            switch client {
            case .proxy: self.timeout = .init(rounding: timeout)
            case .grpc: self.maxStreamDuration.maxStreamDuration = .init(rounding: timeout)
            }
        }
        if let timeout = forward.idleTimeout, client == .proxy {
            self.idleTimeout = .init(rounding: timeout)
        }
        if let retry = forward.retry, retry.attempts > 0 {
            // No attempts is no policy: gRPC clients refuse one that says 0.
            self.retryPolicy = .init(retry)
        }
        self.hashPolicy = forward.hashPolicies.map { .init($0) }
    }
}

extension Envoy_Config_Route_V3_RouteAction.HashPolicy {
    fileprivate init(_ policy: HashPolicy) {
        self.init()
        switch policy.source {
        case .header(let name): self.header.headerName = name
        case .cookie(let name, let path, let lifetime):
            self.cookie.name = name
            self.cookie.path = path
            if let lifetime { self.cookie.ttl = .init(rounding: lifetime) }
        case .queryParameter(let name): self.queryParameter.name = name
        case .sourceAddress: self.connectionProperties.sourceIp = true
        }
        self.terminal = policy.isTerminal
    }
}

extension Route.Backend {
    fileprivate var editsHeaders: Bool { !self.requestHeaders.isEmpty || !self.responseHeaders.isEmpty }
}

extension Envoy_Config_Route_V3_WeightedCluster.ClusterWeight {
    fileprivate init(_ backend: Route.Backend) {
        self.init()
        self.name = backend.target.clusterName
        self.weight = .init(UInt32(backend.weight))
        self.requestHeadersToAdd = backend.requestHeaders.edits
        self.requestHeadersToRemove = backend.requestHeaders.remove
        self.responseHeadersToAdd = backend.responseHeaders.edits
        self.responseHeadersToRemove = backend.responseHeaders.remove
    }
}

extension Envoy_Config_Route_V3_RetryPolicy {
    fileprivate init(_ retry: Retry) {
        self.init()
        // Envoy reads the codes only under a condition of their own.
        self.retryOn = (retry.retryOn + (retry.codes.isEmpty ? [] : ["retriable-status-codes"])).joined(separator: ",")
        self.retriableStatusCodes = retry.codes.map { UInt32(clamping: $0) }
        self.numRetries = .init(UInt32(clamping: retry.attempts))
        if let timeout = retry.perTryTimeout {
            self.perTryTimeout = .init(rounding: timeout)
        }
        if let backoff = retry.backoff {
            self.retryBackOff.baseInterval = .init(rounding: backoff)
        }
    }
}

extension Envoy_Config_Route_V3_RedirectAction {
    init(_ redirect: Redirect, of path: Match.PathMatch) {
        self.init()
        if let scheme = redirect.scheme {
            self.schemeRedirect = scheme
        }
        self.hostRedirect = redirect.hostname ?? ""
        self.portRedirect = Self.port(of: redirect)
        switch redirect.path.map({ PathSubstitution($0, of: path) }) {
        case .whole(let path): self.pathRedirect = path
        case .prefix(let prefix): self.prefixRewrite = prefix
        case .removal(let pattern): self.regexRewrite = .init(pattern: pattern, substitution: "/")
        case nil: break
        }
        self.responseCode =
            switch redirect.statusCode {
            case 301: .movedPermanently
            case 303: .seeOther
            case 307: .temporaryRedirect
            case 308: .permanentRedirect
            default: .found
            }
    }

    /// 0 leaves the port to the host: to the new one, which has none, or to the request's, which keeps its own. So a
    /// new scheme needs its port said, or "http://web:10000" would become "https://web:10000".
    private static func port(of redirect: Redirect) -> UInt32 {
        let implied: UInt16? =
            switch redirect.scheme {
            case "http": 80
            case "https": 443
            default: nil
            }
        guard let port = redirect.port ?? implied else { return 0 }
        return port == implied && redirect.hostname != nil ? 0 : UInt32(port)
    }
}
