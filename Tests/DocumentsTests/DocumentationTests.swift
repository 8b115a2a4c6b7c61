// SPDX-License-Identifier: Apache-2.0

import Catalog
import Foundation
import Testing

@testable import Documents

/// `docs/` and the JSON Schema say the same as the code.
struct DocumentationTests {
    private static func page(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        return try String(contentsOf: root.appendingPathComponent("docs/\(name)"), encoding: .utf8)
    }

    /// The text of a page between this heading and the next of the same level.
    private static func section(_ heading: String, of page: String) throws -> Substring {
        let start = try #require(page.range(of: "\n## \(heading)\n"), "no section \(heading)")
        let rest = page[start.upperBound...]
        return rest.range(of: "\n## ").map { rest[..<$0.lowerBound] } ?? rest
    }

    /// A field of a kind, wherever in the document, with its schema.
    private struct Property {
        let name: String
        let schema: [String: Any]
    }

    private static func properties(of schema: Any) -> [Property] {
        guard let schema = schema as? [String: Any] else { return [] }
        let own = schema["properties"] as? [String: [String: Any]] ?? [:]
        let nested = own.values.flatMap(Self.properties) + (schema["items"].map(Self.properties) ?? [])
        return own.map { Property(name: $0.key, schema: $0.value) } + nested
    }

    private static func schema() throws -> [String: Any] {
        let data = Data(jsonSchema(allowRawResources: true).utf8)
        return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func `every field and its default is in the configuration reference`() throws {
        let page = try Self.page("configuration.md")
        let kinds = try #require(Self.schema()["$defs"] as? [String: Any])
        #expect(Set(kinds.keys) == Set(DocumentKind.allCases.map(\.rawValue)))
        for (kind, schema) in kinds {
            let rows = try Self.section("kind: \(kind)", of: page).split(separator: "\n")
            for property in Self.properties(of: schema) where property.name != "@type" {
                let row = rows.filter { $0.hasPrefix("| `\(property.name)` |") }
                #expect(!row.isEmpty, "\(kind): \(property.name)")
                let defaults = property.schema["default"].map { $0 as? [Any] ?? [$0] } ?? []
                let words = defaults + (property.schema["enum"] as? [Any] ?? [])
                #expect(row.contains { row in words.allSatisfy { row.contains("\($0)") } }, "\(kind): \(property.name)")
            }
        }
    }

    @Test func `every field has a meaning in the schema`() throws {
        for property in Self.properties(of: try Self.schema()) where property.name != "@type" {
            #expect((property.schema["description"] as? String)?.isEmpty == false, "\(property.name)")
        }
    }

    @Test func `every example in the configuration reference is good`() throws {
        let examples = try Self.page("configuration.md").components(separatedBy: "```yaml\n").dropFirst()
        #expect(examples.count >= 6)
        for example in examples {
            let text = try #require(example.components(separatedBy: "```").first)
            let set = documents(text, options: DocumentSet.Options(allowRawResources: true))
            #expect(set.diagnostics == [])
            #expect(!set.names.isEmpty)
        }
    }

    @Test func `every code has its section`() throws {
        let page = try Self.page("diagnostics.md")
        for code in Code.allCases {
            #expect(try Self.section(code.rawValue, of: page).contains("Cure: "), "\(code)")
            #expect(page.contains("| [\(code.rawValue)](#\(code.rawValue.lowercased())) |"))
        }
    }

    @Test func `raw resources are in the schema only if asked for`() {
        #expect(!jsonSchema().contains("envoy-resource"))
        #expect(jsonSchema(allowRawResources: true).contains("envoy-resource"))
    }
}

struct JSONValueTests {
    @Test func `JSON is escaped and keeps its order`() throws {
        let value: JSONValue = ["b": ["\"\\\n\t\u{1}\u{7F}\u{E9}", 1, true, []], "a": [:], "c": .null]
        #expect(value.text() == "{\"b\":[\"\\\"\\\\\\n\\t\\u0001\\u007f\u{E9}\",1,true,[]],\"a\":{},\"c\":null}")
        let pretty: JSONValue = ["b": [1, true], "a": [:]]
        #expect(pretty.text(pretty: true) == "{\n  \"b\": [\n    1,\n    true\n  ],\n  \"a\": {}\n}")
    }
}
