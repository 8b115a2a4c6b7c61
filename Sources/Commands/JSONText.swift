// SPDX-License-Identifier: Apache-2.0

import Yams

/// JSON as people would rather read it.
enum JSONText {
    /// The same content in YAML's block style: JSON is YAML, so it is read and written again.
    static func yaml(_ json: String) throws -> String {
        guard let node = try Yams.compose(yaml: json) else { return "" }
        let text = try Yams.serialize(node: Self.block(node))
        return text.hasSuffix("\n") ? text : text + "\n"
    }

    private static func block(_ node: Node) -> Node {
        switch node {
        case .mapping(let mapping):
            let pairs = mapping.map { (Self.plain($0.key), Self.block($0.value)) }
            return .mapping(Node.Mapping(pairs, mapping.tag, pairs.isEmpty ? .flow : .block))
        case .sequence(let sequence):
            let items = sequence.map { Self.block($0) }
            return .sequence(Node.Sequence(items, sequence.tag, items.isEmpty ? .flow : .block))
        case .scalar, .alias:
            return node
        }
    }

    /// Keys need no quotes: those of protobuf's JSON are names.
    private static func plain(_ key: Node) -> Node {
        guard case .scalar(var scalar) = key, scalar.string.first?.isLetter == true else { return key }
        scalar.style = .any
        return .scalar(scalar)
    }
}
