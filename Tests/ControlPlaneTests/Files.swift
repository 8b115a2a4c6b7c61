// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Documents
import HashTreeCollections
import Routing
import XDSProtocol
import XDSServer

/// A small configuration in a few files, each with knobs for what the tests change.
struct Files {
    var files: [String: String] = [
        "gateway.yaml": Self.gateway("edge"), "web.yaml": Self.service("web"), "api.yaml": Self.service("api"),
        "routes.yaml": Self.route("web", backends: ["web": 90, "api": 10]),
    ]

    static func gateway(_ name: String, proxies: String = "{}", port: Int = 10000) -> String {
        """
        kind: gateway
        name: \(name)
        proxies: \(proxies)
        listeners: [{name: http, port: \(port)}]
        """
    }

    static func service(_ name: String, second: String = "passing") -> String {
        """
        kind: service
        name: \(name)
        instances:
        - {id: \(name)-1, address: 127.0.0.1, port: 9001}
        - {id: \(name)-2, address: 127.0.0.1, port: 9002, health: \(second)}
        """
    }

    static func route(_ name: String, gateways: [String] = ["edge"], backends: KeyValuePairs<String, Int>) -> String {
        """
        kind: route
        name: \(name)
        hostnames: [\(name).example.com]
        gateways: [\(gateways.joined(separator: ", "))]
        rules:
        - backends: [\(backends.map { "{service: \($0.key), weight: \($0.value)}" }.joined(separator: ", "))]
        """
    }

    func pipeline(_ options: DocumentSet.Options = DocumentSet.Options()) -> Pipeline {
        var pipeline = Pipeline(Pipeline.Options(documents: options))
        _ = pipeline.apply(self.files.map { .write($0.value, to: $0.key) }, at: .zero)
        return pipeline
    }
}

extension FileChange {
    static func write(_ text: String, to path: String) -> FileChange {
        FileChange(path: path, content: .bytes(Array(text.utf8)))
    }

    static func remove(_ path: String) -> FileChange {
        FileChange(path: path, content: .removed)
    }
}

extension Pipeline {
    var codes: [String] { self.diagnostics.map(\.code) }

    /// What a proxy that every gateway selects would be sent.
    func snapshot(
        _ generation: UInt64 = 1,
        for node: Node = Node(id: "proxy"),
        _ streams: StreamKind = .aggregated
    ) -> Snapshot {
        let world = TopologyWorld(self.topology)
        let resources = world.group(of: node, streams: streams).map { world.resources(for: $0) } ?? [:]
        return Snapshot(generation: generation, resources: resources)
    }
}

extension Snapshot {
    /// As "CDS web", sorted.
    var names: [String] {
        self.resources.flatMap { type, resources in resources.keys.map { "\(type) \($0)" } }.sorted()
    }
}

extension ChangeSet {
    /// As "CDS web", sorted.
    var descriptions: [String] {
        self.names.flatMap { type, names in names.map { "\(type) \($0)" } }.sorted()
    }
}
