// SPDX-License-Identifier: Apache-2.0

import Catalog
import Foundation
import Routing
import ServicePolicy
import TestSupport

/// Damaged tags beside a good service: what comes of them is sound and decided in time, and the good one's route counts.
struct TagFuzz {
    private static let origin = Origin(file: "consul")
    private static let policy = Policy(
        gateways: [
            GatewayName("edge"): Gateway(
                name: GatewayName("edge"),
                proxies: ProxySelector(),
                listeners: [Gateway.Listener(name: "http", port: 10000)],
                origin: Origin(file: "gateways.yaml")
            )
        ]
    )

    private var generator: SeededGenerator
    private let examples: [String]

    /// The tags in `docs/tags.md`.
    static func examples() throws -> [String] {
        let page = URL(filePath: #filePath).appending(path: "../../../docs/tags.md").standardized
        let words = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "`")
        return words.filter { $0.contains("=") || $0.hasPrefix("weight:") }
    }

    static func failure(examples: [String], seed: UInt64) -> String? {
        var fuzz = TagFuzz(generator: SeededGenerator(seed: seed), examples: examples)
        return fuzz.converse()
    }

    private mutating func converse() -> String? {
        var routing = TagRouting()
        for _ in 1...Int.random(in: 1...4, using: &self.generator) {
            // A name that comes first, so that it could have a host that another wants.
            let bad = Self.service("a", (0..<Int.random(in: 1...3, using: &self.generator)).map { _ in self.tags() })
            let good = Self.service("neighbour", [["signalbox.host=neighbour.example.net"]])
            let time = CPUTime.of {
                routing.replace(by: Catalog([bad, good].map(routing.weighted)))
                _ = routing.decide(with: Self.policy)
            }
            if time > .seconds(1) { return "took \(time): \(bad)" }
            if let fault = Self.fault(of: routing.policy) { return "\(fault): \(bad)" }
        }
        return nil
    }

    private static func fault(of policy: TagPolicy) -> String? {
        if policy.routes[RouteName("neighbour@tags")] == nil { return "the good service beside it does not count" }
        for route in policy.routes.values {
            if route.hostnames.isEmpty { return "a route is for every host" }
            for host in route.hostnames
            where !TextSyntax.isHostname(host.hasPrefix("*.") ? host.dropFirst(2) : host[...])
                || host != host.lowercased()
            {
                return "no host: \(host.debugDescription)"
            }
        }
        for diagnostic in policy.diagnostics {
            let text = diagnostic.description
            if text.contains(where: \.isNewline) || text.utf8.count > 2_000 { return "is no line: \(text)" }
        }
        return nil
    }

    private static func service(_ name: String, _ tags: [[String]]) -> Service {
        Service(
            name: ServiceName(name),
            instances: tags.enumerated().map { offset, tags in
                Instance(
                    id: InstanceID("\(offset)"),
                    address: "10.0.0.1",
                    port: UInt16(offset + 1),
                    tags: Set(tags),
                    origin: Self.origin
                )
            },
            origin: Self.origin
        )
    }

    private mutating func tags() -> [String] {
        (0..<Int.random(in: 0...12, using: &self.generator)).map { _ in self.tag() }
    }

    private mutating func tag() -> String {
        var bytes = Array((self.examples.randomElement(using: &self.generator) ?? "").utf8)
        for _ in 0..<Int.random(in: 0...2, using: &self.generator) {
            let place = Int.random(in: 0...bytes.count, using: &self.generator)
            switch Int.random(in: 0...4, using: &self.generator) {
            case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &self.generator)
            case 1: bytes.insert(contentsOf: BadText.vocabulary.randomElement(using: &self.generator) ?? [], at: place)
            case 2:
                bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...8, using: &self.generator)))
            case 3:
                let other = Array((self.examples.randomElement(using: &self.generator) ?? "").utf8)
                bytes = bytes.prefix(place) + other.suffix(Int.random(in: 0...other.count, using: &self.generator))
            default:
                let piece = Array(bytes.suffix(Int.random(in: 0...12, using: &self.generator)))
                let times = Int.random(in: 1...(self.generator.chance(1, of: 20) ? 6_000 : 40), using: &self.generator)
                bytes.insert(contentsOf: repeatElement(piece, count: times).joined(), at: place)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
