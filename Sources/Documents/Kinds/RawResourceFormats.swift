// SPDX-License-Identifier: Apache-2.0

import Routing

/// `kind: envoy-resource`: a resource in Envoy's own words, passed on unchecked. Only where the operator allows it.
enum RawResourceFormats {
    static let document = Format<Document.Body>.object(
        DocumentKind.rawResource.field,
        CommonFormats.name,
        Field("gateways", .list(of: CommonFormats.gatewayName, atLeast: 1), .required, "The gateways that get it."),
        Field("resource", resource, .required, "The resource in protobuf's JSON form, with its @type."),
        Field(
            "ttl",
            .duration(atLeast: .seconds(1)),
            "A proxy that hears nothing of Signalbox for so long drops the resource. Default: it keeps it."
        )
    ) { origin, _, _, name, gateways, resource, timeToLive in
        guard let name, let gateways, !gateways.isEmpty, let resource else { return nil }
        return .rawResource(
            RawResource(name: name, gateways: gateways, json: resource, timeToLive: timeToLive, origin: origin)
        )
    }

    private static let resource = Format<String>(
        schema: ["type": "object", "properties": ["@type": ["type": "string"]], "required": ["@type"]]
    ) { node, faults in
        guard case .mapping = node.content else {
            faults.wrongType(node, expected: "a mapping", cure: "write the resource with its @type")
            return nil
        }
        let type = Field("@type", Format.nonEmptyText, .required, "the type URL of the resource.")
        guard type.read(from: node, faults) != nil else { return nil }
        return Self.json(node, faults)?.text()
    }

    private static func json(_ node: YAMLNode, _ faults: Faults) -> JSONValue? {
        switch node.content {
        case .refused: return nil
        case .list(let items):
            let values = items.map { Self.json($0, faults) }
            return values.contains { $0 == nil } ? nil : .array(values.compactMap { $0 })
        case .mapping(let entries):
            let values = entries.map { (key: $0.key, value: Self.json($0.value, faults)) }
            return values.contains { $0.value == nil }
                ? nil : .object(values.compactMap { entry in entry.value.map { (entry.key, $0) } })
        case .scalar(let scalar):
            switch scalar.meaning {
            case .string: return .string(scalar.text)
            case .boolean: return .boolean(scalar.text.lowercased() == "true")
            case .null: return .null
            case .integer, .float: return Self.number(scalar.text)
            case .ambiguous:
                faults.wrongType(node, expected: "a JSON value", cure: "put it in quotes, or write true or false")
                return nil
            }
        }
    }

    /// YAML's numbers are not all JSON's: `+1`, `.5`, `1.` and `.inf` are not.
    private static func number(_ text: String) -> JSONValue {
        if let integer = Int64(text) { return .number(String(integer)) }
        switch text.lowercased() {
        case ".nan": return "NaN"
        case ".inf", "+.inf": return "Infinity"
        case "-.inf": return "-Infinity"
        default:
            let value = Double(text) ?? 0
            return value.isFinite ? .number("\(value)") : .string(text)
        }
    }
}
