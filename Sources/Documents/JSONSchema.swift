// SPDX-License-Identifier: Apache-2.0

/// The JSON Schema (draft 2020-12) of a document, for editors and for checks outside Signalbox. Made of the same
/// declarations by which documents are read. The kind `envoy-resource` is in it only if asked for, as it is off by
/// default.
package func jsonSchema(allowRawResources: Bool = false) -> String {
    let kinds = DocumentKind.allCases.filter { allowRawResources || DocumentKind.documented.contains($0) }
    let conditions = kinds.map { kind -> JSONValue in
        [
            "if": ["required": ["kind"], "properties": ["kind": ["const": .string(kind.rawValue)]]],
            "then": ["$ref": .string("#/$defs/\(kind.rawValue)")],
        ]
    }
    let schema: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Signalbox document",
        "type": "object",
        "required": ["kind", "name"],
        "properties": [
            "kind": [
                "enum": .strings(kinds.map(\.rawValue)),
                "description": "What the document describes.",
            ]
        ],
        "allOf": .array(conditions),
        "$defs": .object(kinds.map { (key: $0.rawValue, value: $0.format.schema) }),
    ]
    return schema.text(pretty: true) + "\n"
}
