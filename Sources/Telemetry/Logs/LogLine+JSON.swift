// SPDX-License-Identifier: Apache-2.0

import Logging

extension LogLine {
    /// One JSON object: `time`, `level`, `label`, `message`, then the metadata beside them. All values are strings or
    /// arrays of strings.
    var json: String {
        var text = "{\"time\":\"\(self.time)\",\"level\":\"\(self.level)\""
        text += ",\"label\":\(Self.quoted(self.label)),\"message\":\(Self.quoted(self.message))"
        let taken: Set = ["time", "level", "label", "message"]
        for (key, value) in self.metadata {
            text += ",\(Self.quoted(taken.contains(key) ? "metadata.\(key)" : key)):\(Self.json(value))"
        }
        return text + "}"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string, .stringConvertible:
            return self.quoted("\(value)")
        case .array(let values):
            return "[" + values.map { self.json($0) }.joined(separator: ",") + "]"
        case .dictionary(let values):
            let members = values.sorted { $0.key < $1.key }.map { "\(self.quoted($0.key)):\(self.json($0.value))" }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"\(text.escapingControlCharacters(and: "\"\\"))\""
    }
}

extension String {
    /// As in a JSON string: `\n`, `\u001b`; characters of `others` after a backslash.
    func escapingControlCharacters(and others: String) -> String {
        var text = ""
        for scalar in self.unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // Two control blocks, and the separators of lines and paragraphs.
            case "\0"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case _ where others.unicodeScalars.contains(scalar):
                text += "\\" + String(Character(scalar))
            default:
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
