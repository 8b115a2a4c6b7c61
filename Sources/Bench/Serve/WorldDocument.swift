// SPDX-License-Identifier: Apache-2.0

/// What the benchmark server serves, in its own words: the body of `PUT /state`, or a synthetic fleet.
///
/// Everything goes to the wire as it stands, and nothing asks whether what a name refers to exists or whether Envoy would
/// take it: a test may want what it refuses.
struct WorldDocument: Hashable, Sendable {
    struct Endpoint: Hashable, Sendable {
        var address: String
        var port: UInt16
    }

    /// A cluster and the cluster load assignment of the same name.
    struct Service: Hashable, Sendable {
        var name: String
        var connectTimeoutMilliseconds: Int
        var endpoints: [Endpoint]
        /// The port of the first endpoint before it was touched; nil: it is not.
        fileprivate var untouchedPort: UInt16?

        init(name: String, connectTimeoutMilliseconds: Int = 1_000, endpoints: [Endpoint] = []) {
            self.name = name
            self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
            self.endpoints = endpoints
        }
    }

    struct Listener: Hashable, Sendable {
        var name: String
        var port: UInt16
        /// The route configuration that it takes by RDS.
        var route: String
    }

    struct VirtualHost: Hashable, Sendable {
        var name: String
        var domains: [String]
        var service: String
        var prefix = "/"
    }

    struct Route: Hashable, Sendable {
        var name: String
        var virtualHosts: [VirtualHost] = []
    }

    var services: [Service] = []
    var listeners: [Listener] = []
    var routes: [Route] = []
}

extension WorldDocument {
    /// The port of every endpoint of a fleet, and the one to which a touch moves an endpoint.
    static let ports: (usual: UInt16, touched: UInt16) = (8080, 8081)

    /// As many endpoints as there are addresses in 10.0.0.0/8.
    static let endpointsAtMost = 1 << 24

    /// A fleet of services that are all alike. The same, byte for byte, as the servers in `Benchmarks/peers` serve.
    /// Nothing at all for no services: an emptiness is an answer, too.
    init(services: Int, endpoints: Int) {
        precondition(services >= 0 && endpoints >= 0 && services * endpoints <= Self.endpointsAtMost)
        guard services > 0 else { return }
        self.services = (0..<services).map { index in
            Service(
                name: Self.serviceName(index),
                endpoints: (0..<endpoints).map { Endpoint(number: index * endpoints + $0) }
            )
        }
        self.listeners = [Listener(name: "listener", port: 10_000, route: "routes")]
        self.routes = [
            Route(
                name: "routes",
                virtualHosts: self.services.map {
                    VirtualHost(name: $0.name, domains: ["\($0.name).example.com"], service: $0.name)
                }
            )
        ]
    }

    /// The name of the service that `touch` knows by its index.
    static func serviceName(_ index: Int) -> String {
        let digits = String(index)
        return "service-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// Moves the first endpoint of a service to another port, or back.
    /// - Returns: the service as it is now; nil if there is no such service or it has no endpoint.
    mutating func touch(_ index: Int) -> Service? {
        guard self.services.indices.contains(index), let port = self.services[index].endpoints.first?.port else {
            return nil
        }
        if let untouched = self.services[index].untouchedPort {
            self.services[index].endpoints[0].port = untouched
            self.services[index].untouchedPort = nil
        } else {
            self.services[index].endpoints[0].port = port == Self.ports.touched ? Self.ports.usual : Self.ports.touched
            self.services[index].untouchedPort = port
        }
        return self.services[index]
    }
}

extension WorldDocument.Endpoint {
    fileprivate init(number: Int) {
        self.init(
            address: "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)",
            port: WorldDocument.ports.usual
        )
    }
}
