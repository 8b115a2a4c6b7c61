// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import XDSProtocol

/// Why a `PUT /state` is refused, in words for who wrote the document.
struct BadDocument: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension WorldDocument {
    /// Reads the body of `PUT /state`. Keys that are not known are refused: a slip would look like an empty world.
    init(json: Data) throws(BadDocument) {
        do {
            self = try JSONDecoder().decode(WorldDocument.self, from: json)
        } catch let error as BadDocument {
            throw error
        } catch let error as DecodingError {
            throw BadDocument(error)
        } catch {
            throw BadDocument("\(error)")
        }
        try Self.checkUnique(self.services.map(\.name), "services")
        try Self.checkUnique(self.listeners.map(\.name), "listeners")
        try Self.checkUnique(self.routes.map(\.name), "routes")
    }

    private static func checkUnique(_ names: [String], _ list: String) throws(BadDocument) {
        var seen: Set<ResourceName> = []
        for name in names where !seen.insert(ResourceName(name)).inserted {
            throw BadDocument("\(list): the name \"\(name)\" is there twice")
        }
    }
}

extension WorldDocument: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case services, listeners, routes
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: Key.self)
        self.services = try values.decodeIfPresent([Service].self, forKey: .services) ?? []
        self.listeners = try values.decodeIfPresent([Listener].self, forKey: .listeners) ?? []
        self.routes = try values.decodeIfPresent([Route].self, forKey: .routes) ?? []
    }
}

extension WorldDocument.Service: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case name
        case connectTimeout = "connect_timeout_ms"
        case endpoints
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: Key.self)
        self.init(name: try values.word(.name))
        if try values.has(.connectTimeout) {
            self.connectTimeoutMilliseconds = try values.integer(.connectTimeout, in: 0...Int(Int32.max))
        }
        self.endpoints = try values.decodeIfPresent([WorldDocument.Endpoint].self, forKey: .endpoints) ?? []
    }
}

extension WorldDocument.Endpoint: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case address, port
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: Key.self)
        self.init(address: try values.word(.address), port: try values.port(.port))
    }
}

extension WorldDocument.Listener: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case name, port, route
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: Key.self)
        self.init(name: try values.word(.name), port: try values.port(.port), route: try values.word(.route))
    }
}

extension WorldDocument.Route: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case name
        case virtualHosts = "virtual_hosts"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: Key.self)
        self.init(name: try values.word(.name))
        self.virtualHosts =
            try values.decodeIfPresent([WorldDocument.VirtualHost].self, forKey: .virtualHosts) ?? []
    }
}

extension WorldDocument.VirtualHost: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case name, domains, service, prefix
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: Key.self)
        self.init(
            name: try values.word(.name),
            domains: try values.decode([String].self, forKey: .domains),
            service: try values.word(.service)
        )
        self.prefix = try values.decodeIfPresent(String.self, forKey: .prefix) ?? self.prefix
    }
}
