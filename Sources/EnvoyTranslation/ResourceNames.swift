// SPDX-License-Identifier: Apache-2.0

import Catalog
package import Routing

// Every name that a proxy sees. They are in its statistics and its logs: to change one breaks dashboards.

/// The name that our bootstrap gives to the cluster of the control plane itself. No target is named so, or requests to it
/// would be sent to the control plane: Envoy keeps a cluster of its bootstrap whatever it is told of one of that name.
package let controlPlaneClusterName = ServiceName.prefixOfOurs + "xds"

extension TargetID {
    /// Of the cluster and its endpoints: "web", or "web?tag=a&tag=b&meta.k=v" for a subset. Different targets have
    /// different names, so a subset has no other: what somebody calls it may come to mean other instances. None begins as
    /// our own names do.
    package var clusterName: String {
        let service = escaped(self.service)
        if self.subset.isAll { return service }
        let tags = self.subset.tags.sorted().map { "tag=\(escaped($0))" }
        let meta =
            self.subset.meta.sorted { $0.key < $1.key }.map { "meta.\(escaped($0.key))=\(escaped($0.value))" }
            + self.subset.nodeMeta.sorted { $0.key < $1.key }
            .map { "nodeMeta.\(escaped($0.key))=\(escaped($0.value))" }
        let datacenters = self.subset.datacenters.sorted().map { "dc=\(escaped($0))" }
        let canary = self.subset.isCanary.map { ["canary=\($0)"] } ?? []
        let passing = self.subset.onlyPassing ? ["passing"] : []
        let filter = self.subset.filter.map { ["filter=\(escaped(shortened($0.description)))"] } ?? []
        return "\(service)?\((tags + meta + datacenters + canary + passing + filter).joined(separator: "&"))"
    }
}

extension GatewayTopology {
    /// Of the listener, unless it is proxyless, and of its route configuration.
    package func resourceName(of listener: ListenerTopology) -> String {
        "\(self.name)/\(listener.listener.name)"
    }
}

extension VirtualHost {
    /// Of a virtual host that is a resource of its own: what Envoy asks for is its route configuration's name, a slash and
    /// the host of the request.
    /// See https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/vhds
    package func resourceName(in routeConfiguration: String) -> String {
        "\(routeConfiguration)/\(self.hostname)"
    }
}

extension RouteEntry {
    /// Of the route inside its virtual host: what access logs show.
    package var envoyName: String {
        "\(self.route)/\(self.ruleIndex)/\(self.matchIndex)" + (self.refinementIndex.map { "/\($0)" } ?? "")
    }
}

/// Of a name like ours the slash, too. Other names keep theirs, such as "team/web".
private func escaped(_ service: ServiceName) -> String {
    let name = escaped(service.rawValue)
    guard service.isLikeOurs else { return name }
    let prefix = ServiceName.prefixOfOurs.utf8
    return "\(Substring(prefix.dropLast()))%2F\(Substring(name.utf8.dropFirst(prefix.count)))"
}

/// Percent-encodes what separates the parts of a name.
private func escaped(_ part: String) -> String {
    // Nearly always nothing: every name is made at every publication.
    guard part.utf8.contains(where: { "%&=?".utf8.contains($0) }) else { return part }
    return part.unicodeScalars.reduce(into: "") { result, scalar in
        switch scalar {
        case "%": result += "%25"
        case "&": result += "%26"
        case "=": result += "%3D"
        case "?": result += "%3F"
        default: result.unicodeScalars.append(scalar)
        }
    }
}

/// A long text by its beginning and a hash of all of it. Never the same as a text that ends in a quote or a parenthesis, as
/// expressions do.
private func shortened(_ text: String) -> String {
    let (limit, kept) = (120, 60)
    guard text.utf8.count > limit else { return text }
    return "\(text.prefix(kept))~\(String(fnv1a(text.utf8), radix: 16))"
}

/// See https://datatracker.ietf.org/doc/html/draft-eastlake-fnv: 128 bits, so that no two texts meet by accident.
private func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt128 {
    let prime: UInt128 = 1 << 88 + 0x13B
    return bytes.reduce(0x6C62_272E_07BB_0142_62B8_2175_6295_C58D) { ($0 ^ UInt128($1)) &* prime }
}
