// SPDX-License-Identifier: Apache-2.0

import Logging

extension LogLine {
    /// For people, and for tools that read logfmt: `2026-01-02T03:04:05.678Z info  message key=value other="a b"`.
    var text: String {
        let level = "\(self.level)"
        var text = "\(self.time) \(level)\(String(repeating: " ", count: max(0, 5 - level.count))) "
        text += self.message.escapingControlCharacters(and: "")
        for (key, value) in self.metadata {
            text += " \(Self.bareOrQuoted(key))=\(Self.bareOrQuoted("\(value)"))"
        }
        return text
    }

    private static func bareOrQuoted(_ text: String) -> String {
        let escaped = text.escapingControlCharacters(and: "\"\\")
        let isBare = !text.isEmpty && escaped == text && !text.contains { $0.isWhitespace || $0 == "=" }
        return isBare ? text : "\"\(escaped)\""
    }
}
