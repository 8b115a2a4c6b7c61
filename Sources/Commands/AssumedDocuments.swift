// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Documents
import Routing

/// Documents that a linter takes to be somewhere else: services in a catalog, gateways in files that it was not given.
struct AssumedDocuments {
    /// A name that no file can have.
    private static let file = "\u{0}"

    private(set) var services: Set<ServiceName> = []
    private var gateways: [GatewayName: Set<String>] = [:]

    /// - Parameter changes: all files.
    init(missingFrom changes: [FileChange], _ options: DocumentSet.Options, services: Bool, gateways: Bool) {
        var set = DocumentSet(options: options)
        _ = set.apply(changes, at: .zero)
        let routes = set.policy.routes.values
        if services {
            self.services = Set(routes.flatMap(\.backends).map(\.service)).subtracting(set.services.map(\.name))
        }
        if gateways {
            let references =
                routes.flatMap(\.gateways).map { ($0.gateway, $0.listener) }
                + set.policy.rawResources.values.flatMap(\.gateways).map { ($0, nil) }
            for (gateway, listener) in references where set.policy.gateways[gateway] == nil {
                self.gateways[gateway, default: []].formUnion(listener.map { [$0] } ?? [])
            }
        }
    }

    var count: Int { self.services.count + self.gateways.count }

    /// Nil: there are none. Each gateway is on proxies of its own.
    var change: FileChange? {
        guard self.count > 0 else { return nil }
        var documents = self.services.sorted().map { service in
            JSONTree.object([("kind", "service"), ("name", .string(service.rawValue)), ("instances", [])])
        }
        for (gateway, names) in self.gateways.sorted(by: { $0.key < $1.key }) {
            let listeners = (names.isEmpty ? ["assumed"] : names.sorted()).enumerated().map { index, name in
                JSONTree.object([("name", .string(name)), ("port", .number(1 + index))])
            }
            documents.append(
                .object([
                    ("kind", "gateway"), ("name", .string(gateway.rawValue)),
                    ("proxies", .object([("ids", [.string("assumed-\(gateway)")])])), ("listeners", .array(listeners)),
                ])
            )
        }
        let text = documents.map { "---\n\($0.text)\n" }.joined()
        return FileChange(path: Self.file, content: .bytes(Array(text.utf8)))
    }

    /// What is to be said all the same.
    func concerns(_ diagnostic: Diagnostic) -> Bool {
        diagnostic.origin.file != Self.file
    }
}
