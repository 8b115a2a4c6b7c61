// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import SwiftProtobuf

extension Envoy_Config_Route_V3_RouteConfiguration {
    init(name: String, _ virtualHosts: [VirtualHost], for client: RouteClient) {
        self.init(name: name)
        self.virtualHosts = virtualHosts.map { .init($0, name: $0.hostname, for: client) }
    }

    /// Without virtual hosts: Envoy asks for them. These bytes never change, which matters beyond their size: Envoy forgets
    /// what it asked for when they do.
    init(onDemand name: String) {
        self.init(name: name)
        self.vhds.configSource = .init(.onDemandVirtualHosts)
        // Envoy opens the listener when something came or this is over. Nothing comes: nothing has been asked for.
        self.vhds.configSource.initialFetchTimeout = .init(rounding: .milliseconds(100))
    }

    private init(name: String) {
        self.init()
        self.name = name
        // "Host: web.example.com:10000" is web.example.com: a hostname in a document has no port.
        self.ignorePortInHostMatching = true
    }
}

extension Envoy_Config_Route_V3_VirtualHost {
    fileprivate init(_ virtualHost: VirtualHost, name: String, for client: RouteClient) {
        self.init()
        self.name = name
        self.domains = [virtualHost.hostname]
        self.routes = virtualHost.entries.map { .init($0, for: client) }
    }

    /// One that is a resource of its own, and has its name: by that Envoy removes it.
    init(onDemand virtualHost: VirtualHost, name: String, for client: RouteClient) {
        self.init(virtualHost, name: name, for: client)
        // Where no route matches, Envoy before 1.40 asks for the host that it holds, gets it, starts the request anew, and
        // so on without end.
        self.routes.append(
            .with {
                $0.match.prefix = "/"
                $0.directResponse.status = 404
            }
        )
    }
}

extension Envoy_Config_Route_V3_Route {
    fileprivate init(_ entry: RouteEntry, for client: RouteClient) {
        self.init()
        self.name = entry.envoyName
        self.match = .init(entry.match, for: client)
        switch entry.action {
        case .forward(let forward):
            if forward.backends.allSatisfy({ $0.weight == 0 }) {
                // Envoy refuses a sum of 0; the Gateway API wants an error for the share that leads nowhere.
                self.directResponse.status = 503
            } else {
                self.route = .init(forward, of: entry.match.path, for: client)
            }
        case .redirect(let redirect):
            self.redirect = .init(redirect, of: entry.match.path)
        }
        self.requestHeadersToAdd = entry.requestHeaders.edits
        self.requestHeadersToRemove = entry.requestHeaders.remove
        self.responseHeadersToAdd = entry.responseHeaders.edits
        self.responseHeadersToRemove = entry.responseHeaders.remove
    }
}

extension HeaderModifier {
    var edits: [Envoy_Config_Core_V3_HeaderValueOption] {
        self.set.map { .init($0, action: .overwriteIfExistsOrAdd) }
            + self.add.map { .init($0, action: .appendIfExistsOrAdd) }
    }
}

extension Envoy_Config_Core_V3_HeaderValueOption {
    fileprivate init(_ header: HeaderModifier.Header, action: HeaderAppendAction) {
        self.init()
        self.header.key = header.name
        // Envoy reads "%NAME%" as a command; a document's value is meant as it stands.
        self.header.value = header.value.doubling("%")
        self.appendAction = action
        self.keepEmptyValue = header.value.isEmpty
    }
}
