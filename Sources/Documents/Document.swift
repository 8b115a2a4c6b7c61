// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// The kinds of documents, by the word that stands after `kind:`.
enum DocumentKind: String, CaseIterable, Comparable {
    case service
    case gateway
    case route
    case serviceDefaults = "service-defaults"
    /// Only where the operator allows it.
    case rawResource = "envoy-resource"

    /// All but the one that is off by default.
    static let documented = Self.allCases.filter { $0 != .rawResource }

    /// For messages.
    func named(count: Int) -> String {
        switch self {
        case .serviceDefaults: self.rawValue
        case .service, .gateway, .route, .rawResource: self.rawValue + (count == 1 ? "" : "s")
        }
    }

    static func < (left: DocumentKind, right: DocumentKind) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One good document.
struct Document: Hashable, Sendable {
    enum Body: Hashable, Sendable {
        case service(Service)
        case gateway(Gateway)
        case route(Route)
        case serviceDefaults(ServiceDefaults)
        case rawResource(RawResource)
    }

    /// What may be only once among all files.
    struct Key: Hashable, Comparable, Sendable, CustomStringConvertible {
        let kind: DocumentKind
        let name: String

        var description: String { "\(self.kind.rawValue)/\(self.name)" }

        static func < (left: Key, right: Key) -> Bool {
            (left.kind, left.name) < (right.kind, right.name)
        }
    }

    let body: Body

    var key: Key {
        switch self.body {
        case .service(let service): Key(kind: .service, name: service.name.rawValue)
        case .gateway(let gateway): Key(kind: .gateway, name: gateway.name.rawValue)
        case .route(let route): Key(kind: .route, name: route.name.rawValue)
        case .serviceDefaults(let defaults): Key(kind: .serviceDefaults, name: defaults.service.rawValue)
        case .rawResource(let resource): Key(kind: .rawResource, name: resource.name)
        }
    }

    var origin: Origin {
        switch self.body {
        case .service(let service): service.origin
        case .gateway(let gateway): gateway.origin
        case .route(let route): route.origin
        case .serviceDefaults(let defaults): defaults.origin
        case .rawResource(let resource): resource.origin
        }
    }
}
