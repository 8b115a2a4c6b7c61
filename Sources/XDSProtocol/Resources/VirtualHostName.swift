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
    /// Of a host, as many as anybody has. Of one that has more, the broadest wildcards are looked at.
    private static let maximumWildcards = 32
    /// With the route configuration.
    private static let maximumBytes = 1_024

    /// The names of the virtual hosts that serve this host, the most specific first. Each is made when it is looked at:
    /// whoever sends requests to a proxy decides how many there are and how long.
    var candidates: some Collection<ResourceName> {
        self.servingHosts.lazy.map { ResourceName("\(self.routeConfiguration)\($0.isWildcard ? "*" : "")\($0.rest)") }
    }

    /// Whether a proxy that holds one of these does not ask for it, because they serve it, too.
    func isHidden(behind names: Set<ResourceName>) -> Bool {
        self.candidates.contains { names.contains($0) && $0.rawValue != "\(self.routeConfiguration)\(self.host)" }
    }

    /// What serves it under that name alone; nil if it has no port.
    static func withoutPort(_ name: ResourceName) -> ResourceName? {
        // Nearly always no: it is asked of every name.
        guard let last = name.rawValue.utf8.last, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last),
            let name = VirtualHostName(name), let host = name.hostWithoutPort
        else { return nil }
        return ResourceName("\(name.routeConfiguration)\(host)")
    }

    /// A port stands behind the last colon, unless that is one of an IPv6 address.
    private var hostWithoutPort: Substring? {
        guard let colon = self.host.lastIndex(of: ":") else { return nil }
        let host = self.host[..<colon]
        let isPort = self.host[self.host.index(after: colon)...].allSatisfy(\.isNumber)
        return isPort && (!host.contains(":") || host.hasSuffix("]")) ? host : nil
    }

    private var servingHosts: [(isWildcard: Bool, rest: Substring)] {
        var hosts = [(isWildcard: false, rest: self.host)]
        let everything = (isWildcard: true, rest: self.host[self.host.endIndex...])
        // Their length together is the square of a host's.
        let hostBytes = self.host.utf8.count
        guard hostBytes <= Self.maximumHostBytes, self.routeConfiguration.utf8.count + hostBytes <= Self.maximumBytes
        else { return hosts + [everything] }
        let withoutPort = self.hostWithoutPort
        if let withoutPort { hosts.append((isWildcard: false, rest: withoutPort)) }
        var wildcards: [(isWildcard: Bool, rest: Substring)] = []
        var rest = withoutPort ?? self.host
        // No domain has an empty label.
        while let dot = rest.firstIndex(of: "."), dot != rest.startIndex {
            let parent = rest[rest.index(after: dot)...]
            if parent.isEmpty || parent.first == "." { break }
            wildcards.append((isWildcard: true, rest: rest[dot...]))
            rest = parent
        }
        return hosts + wildcards.suffix(Self.maximumWildcards) + [everything]
    }
}
