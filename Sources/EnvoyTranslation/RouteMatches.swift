// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import SwiftProtobuf

extension Envoy_Config_Route_V3_RouteMatch {
    init(_ match: Match, for client: RouteClient) {
        self.init()
        switch match.path {
        case .prefix(let prefix): self.pathSpecifier = Self.specifier(prefix: prefix, for: client)
        case .textPrefix(let prefix): self.prefix = prefix
        case .exact(let path): self.path = path
        case .regularExpression(let pattern): self.safeRegex.regex = pattern
        }
        if let method = match.method {
            self.headers.append(.init(.init(name: ":method", value: .exact(method))))
        }
        self.headers += match.headers.map { .init($0) }
        self.queryParameters = match.queryParameters.map { .init($0) }
    }

    /// A prefix in the sense of the Gateway API: whole path elements.
    private static func specifier(prefix: String, for client: RouteClient) -> OneOf_PathSpecifier {
        if prefix == "/" { return .prefix("/") }
        switch client {
        case .proxy:
            return .pathSeparatedPrefix(prefix)
        case .grpc:
            // gRPC clients do not know path_separated_prefix. Their paths are always "/service/method", so a prefix
            // of one element is a service and one of two is a method.
            // https://github.com/grpc/grpc/blob/v1.76.0/doc/PROTOCOL-HTTP2.md#requests
            let isService = prefix.utf8.count(where: { $0 == UInt8(ascii: "/") }) == 1
            return isService ? .prefix(prefix + "/") : .path(prefix)
        }
    }
}

extension Envoy_Config_Route_V3_HeaderMatcher {
    fileprivate init(_ match: Match.ValueMatch) {
        self.init()
        self.name = match.name
        if let matcher = Envoy_Type_Matcher_V3_StringMatcher(match.value) {
            self.stringMatch = matcher
        } else {
            self.presentMatch = true
        }
        self.invertMatch = match.isInverted
    }
}

extension Envoy_Config_Route_V3_QueryParameterMatcher {
    fileprivate init(_ match: Match.ValueMatch) {
        self.init()
        self.name = match.name
        if let matcher = Envoy_Type_Matcher_V3_StringMatcher(match.value) {
            self.stringMatch = matcher
        } else {
            self.presentMatch = true
        }
    }
}

extension Envoy_Type_Matcher_V3_StringMatcher {
    /// Nil if any value will do.
    fileprivate init?(_ value: Match.ValueMatch.Value) {
        self.init()
        switch value {
        case .exact(let exact): self.exact = exact
        case .prefix(let prefix): self.prefix = prefix
        case .suffix(let suffix): self.suffix = suffix
        case .contains(let part): self.contains = part
        case .regularExpression(let pattern): self.safeRegex.regex = pattern
        case .present: return nil
        }
    }
}
