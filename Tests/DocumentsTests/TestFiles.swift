// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

@testable import Documents

/// A change that puts text in a file.
func write(_ text: String, to path: String = "a.yaml") -> FileChange {
    FileChange(path: path, content: .bytes(Array(text.utf8)))
}

func remove(_ path: String) -> FileChange {
    FileChange(path: path, content: .removed)
}

/// A set that was given one file, or several at once.
func documents(_ text: String, options: DocumentSet.Options = DocumentSet.Options()) -> DocumentSet {
    documents([write(text)], options: options)
}

func documents(_ changes: [FileChange], options: DocumentSet.Options = DocumentSet.Options()) -> DocumentSet {
    var set = DocumentSet(options: options)
    _ = set.apply(changes, at: .zero)
    return set
}

extension DocumentSet {
    /// The diagnostics as "SB104:7", in the order of their lines.
    var faults: [String] {
        self.diagnostics.map { "\($0.code):\($0.origin.line ?? 0)" }
    }

    /// Names of what is in force, as "kind/name".
    var names: Set<String> {
        var names = Set(self.services.map { "service/\($0.name)" })
        names.formUnion(self.policy.gateways.keys.map { "gateway/\($0)" })
        names.formUnion(self.policy.routes.keys.map { "route/\($0)" })
        names.formUnion(self.policy.serviceDefaults.keys.map { "service-defaults/\($0)" })
        return names.union(self.policy.rawResources.keys.map { "envoy-resource/\($0)" })
    }

    func route(_ name: String) -> Route? { self.policy.routes[RouteName(name)] }
    func gateway(_ name: String) -> Gateway? { self.policy.gateways[GatewayName(name)] }

    /// The ports of a service's instances, by which the tests tell its versions apart.
    func ports(_ name: String) -> [UInt16]? {
        self.services.first { $0.name.rawValue == name }?.instances.map(\.port)
    }
}

/// A service with one instance.
func service(_ name: String, port: Int = 1) -> String {
    "{kind: service, name: \(name), instances: [{address: 10.0.0.1, port: \(port)}]}\n"
}

/// Several documents in one file.
func file(_ documents: String...) -> String {
    documents.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }.joined(separator: "---\n")
}
