// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Foundation
import Routing
import Testing

@testable import ServicePolicy

/// `docs/tags.md` and `docs/diagnostics.md` say what the code does.
struct TagDocumentationTests {
    /// A row of one of the tables.
    struct Example: CustomTestStringConvertible {
        var tags: [String]
        var canaryTags: [String]?
        var effects: [String]
        var code: String?
        var words: [String]

        var testDescription: String { self.tags.joined(separator: " ") }
    }

    private static func page(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        return try String(contentsOf: root.appendingPathComponent("docs/\(name)"), encoding: .utf8)
    }

    private static func quoted(_ cell: String) -> [String] {
        cell.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    }

    /// The rows of the table that has this first line.
    private static func table(_ heading: String) -> [[String]] {
        guard let page = try? Self.page("tags.md"), let start = page.range(of: "\n\(heading)\n") else { return [] }
        return page[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
            .prefix { $0.hasPrefix("|") }
            .map { row in
                row.dropFirst().dropLast().components(separatedBy: " |").map { $0.trimmingCharacters(in: .whitespaces) }
            }
    }

    private static func example(_ cells: [String], canaryTags: [String]? = nil) -> Example {
        Example(
            tags: Self.quoted(cells[0]),
            canaryTags: canaryTags,
            effects: Self.quoted(cells[1]),
            code: cells[2].isEmpty ? nil : String(cells[2].prefix(5)),
            words: Self.quoted(cells[2])
        )
    }

    static let examples = table("| tags | what comes of it | finding |").map { example($0) }

    static let canaryExamples = table("| tags | tags of the canary | what comes of it | finding |").map { cells in
        example([cells[0]] + cells[2...], canaryTags: quoted(cells[1]))
    }

    @Test func `the tables are there`() {
        #expect(Self.examples.count >= 60)
        #expect(Self.canaryExamples.count >= 9)
    }

    @Test(arguments: examples + canaryExamples)
    func `an example does what the page says`(example: Example) throws {
        let service =
            example.canaryTags.map { tagged("web", example.tags, example.tags, canaries: [$0]) }
            ?? tagged("web", example.tags)
        let routing = TaggedCatalog(try tagOptions())
        let policy = routing.decided(service)
        var effects = policy.effects
        let weighted = routing.weighted(service)
        if weighted != service { effects.append("weight \(weighted.instances[0].weight.value)") }
        #expect(effects.sorted() == example.effects.sorted())
        #expect(policy.codes == (example.code.map { [$0] } ?? []))
        for word in example.words {
            #expect(policy.diagnostics.contains { $0.description.contains(word) }, "\(policy.diagnostics)")
        }
        for diagnostic in policy.diagnostics {
            #expect(diagnostic.subject == "service/web")
            #expect(!diagnostic.cure.isEmpty)
        }
        try Self.check(policy, weighted)
    }

    /// What comes of tags holds together, and all of it can be told to a proxy.
    private static func check(_ policy: TagPolicy, _ service: Service) throws {
        let admitted = admit(candidate: policy.added(to: tagBase()), catalog: Catalog([service]), previous: nil)
        #expect(admitted.diagnostics == [])
        let compiled = compile(catalog: admitted.catalog, policy: admitted.policy)
        #expect(compiled.diagnostics == [])
        let hosts = compiled.topology.gateways.values.flatMap { $0.listeners.flatMap(\.virtualHosts).map(\.hostname) }
        #expect(Set(hosts) == Set(policy.routes.values.flatMap { $0.hostnames.isEmpty ? ["*"] : $0.hostnames }))
        for gateway in compiled.topology.gateways.values {
            let translation = translate([gateway])
            #expect(translation.diagnostics == [])
            #expect(translation.resources.count { $0.kind == .cluster } == gateway.targets.count)
        }
    }

    @Test func `every key is in the page`() throws {
        let page = try Self.page("tags.md")
        let keys = SignalboxTags.RouteKey.allCases.map(\.rawValue) + SignalboxTags.SettingKey.allCases.map(\.rawValue)
        for key in keys {
            #expect(page.contains("| `\(key)` |"), "\(key)")
        }
        for policy in ServiceDefaults.LoadBalancerPolicy.allCases {
            #expect(page.contains("`\(policy.rawValue)`"))
        }
    }

    @Test func `every code has its section`() throws {
        let page = try Self.page("diagnostics.md")
        for code in TagCode.allCases.map(\.rawValue) {
            #expect(page.contains("\n## \(code)\n"), "\(code)")
            #expect(page.contains("| [\(code)](#\(code.lowercased())) |"), "\(code)")
        }
    }
}
