// SPDX-License-Identifier: Apache-2.0

/// Blanks secrets in texts that others write: a proxy may quote what it was sent, and its words are for logs.
///
/// A secret is found as it is, in another case, and escaped as URLs, JSON and HTML escape, wholly or in part. So is the
/// beginning of one that the end of the text cuts off.
struct SecretMask: Hashable, Sendable {
    /// Shorter ones are parts of words.
    static let shortest = 4
    static let blank = "(secret)"

    private let secrets: [Secret]

    init(_ secrets: [Secret] = []) {
        self.secrets = secrets
    }

    /// The text without them.
    ///
    /// - Parameter isCutOff: whether its end may be in the midst of one.
    func blanked(_ text: some Collection<UInt8>, isCutOff: Bool = true) -> String {
        let secrets = self.secrets.map { $0.value.utf8.map(Self.lowered) }.filter { $0.count >= Self.shortest }
        let text = Array(text)
        guard !secrets.isEmpty else { return String(decoding: text, as: UTF8.self) }
        var result: [UInt8] = []
        var place = 0
        while place < text.count {
            let ends = secrets.flatMap { secret in
                [false, true].map { Self.end(of: secret, in: text, from: place, isEscaped: $0, isCutOff: isCutOff) }
            }
            if let end = ends.compactMap(\.self).max() {
                result += Self.blank.utf8
                place = end
            } else {
                result.append(text[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Where it ends, if it starts there and is whole or cut off by the end of the text.
    private static func end(
        of secret: [UInt8],
        in text: [UInt8],
        from start: Int,
        isEscaped: Bool,
        isCutOff: Bool
    ) -> Int? {
        var place = start
        for (count, wanted) in secret.enumerated() {
            let unit = isEscaped ? Self.unescaped(text, place) : Self.plain(text, place)
            guard let (byte, length) = unit else { return isCutOff && count >= Self.shortest ? text.count : nil }
            guard Self.lowered(byte) == wanted else { return nil }
            place += length
        }
        return place
    }

    /// Nil: the text ends.
    private static func plain(_ text: [UInt8], _ place: Int) -> (byte: UInt8, length: Int)? {
        place < text.count ? (text[place], 1) : nil
    }

    /// Nil: the text ends, within an escape if need be.
    private static func unescaped(_ text: [UInt8], _ place: Int) -> (byte: UInt8, length: Int)? {
        guard place < text.count else { return nil }
        let rest = text[place...]
        switch rest.first {
        case UInt8(ascii: "%"):
            guard rest.count >= 3 else { return nil }
            return Self.number(rest.dropFirst().prefix(2), radix: 16).map { ($0, 3) } ?? (text[place], 1)
        case UInt8(ascii: "\\"):
            guard rest.count >= 2 else { return nil }
            guard text[place + 1] == UInt8(ascii: "u") else { return (text[place + 1], 2) }
            guard rest.count >= 6 else { return nil }
            return Self.number(rest.dropFirst(2).prefix(4), radix: 16).map { ($0, 6) } ?? (text[place], 1)
        case UInt8(ascii: "&"):
            guard let end = rest.prefix(8).firstIndex(of: UInt8(ascii: ";")) else {
                return rest.count < 8 ? nil : (text[place], 1)
            }
            let name = String(decoding: text[(place + 1)..<end], as: UTF8.self).lowercased()
            return Self.character(name).map { ($0, end + 1 - place) } ?? (text[place], 1)
        default: return (text[place], 1)
        }
    }

    private static func character(_ name: String) -> UInt8? {
        switch name {
        case "amp": UInt8(ascii: "&")
        case "lt": UInt8(ascii: "<")
        case "gt": UInt8(ascii: ">")
        case "quot": UInt8(ascii: "\"")
        case "apos": UInt8(ascii: "'")
        case _ where name.hasPrefix("#x"): UInt8(name.dropFirst(2), radix: 16)
        case _ where name.hasPrefix("#"): UInt8(name.dropFirst())
        default: nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>, radix: Int) -> UInt8? {
        UInt8(String(decoding: digits, as: UTF8.self), radix: radix)
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
