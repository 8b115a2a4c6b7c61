// SPDX-License-Identifier: Apache-2.0

/// The name of a virtual host that is discovered: `<route configuration>/<host>`, where the host may be a domain, with or
/// without a port, or a wildcard (`*.example.com`, `*`). A proxy asks by the `Host` header of a request.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/vhds
struct VirtualHostName {
    /// With the slash at its end.
    let routeConfiguration: Substring
    let host: Substring

    /// Nil if there is no slash: nothing that a proxy asks for. A host has none, a route configuration's name may.
    init?(_ name: ResourceName) {
        guard let slash = name.rawValue.lastIndex(of: "/") else { return nil }
        self.routeConfiguration = name.rawValue[...slash]
        self.host = name.rawValue[name.rawValue.index(after: slash)...]
    }

    var isWildcard: Bool { self.host.hasPrefix("*") }

    /// A DNS name has 253 bytes at most, and a port 6 with its colon.
    private static let maximumHostBytes = 260

    /// The names of the virtual hosts that serve this host, the most specific first.
    var candidates: [ResourceName] {
        var candidates = [self.name(self.host)]
        // Their length together is the square of a host's.
        guard self.host.utf8.count <= Self.maximumHostBytes else { return candidates + [self.name("*")] }
        var host = self.host
        // A port stands behind the last colon, unless that is one of an IPv6 address.
        if let colon = host.lastIndex(of: ":"), host[host.index(after: colon)...].allSatisfy(\.isNumber),
            !host[..<colon].contains(":") || host[..<colon].hasSuffix("]")
        {
            host = host[..<colon]
            candidates.append(self.name(host))
        }
        var rest = host
        while let dot = rest.firstIndex(of: ".") {
            candidates.append(self.name("*" + rest[dot...]))
            rest = rest[rest.index(after: dot)...]
        }
        candidates.append(self.name("*"))
        return candidates
    }

    private func name(_ host: some StringProtocol) -> ResourceName {
        ResourceName("\(self.routeConfiguration)\(host)")
    }
}
