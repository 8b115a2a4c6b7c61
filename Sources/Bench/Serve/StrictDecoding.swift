// SPDX-License-Identifier: Apache-2.0

/// The keys of an object, whatever they are.
private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// An object that has no other keys than those of `Key`.
    func strictContainer<Key: CodingKey & CaseIterable>(
        keyedBy type: Key.Type
    ) throws -> KeyedDecodingContainer<Key> {
        let known = Set(Key.allCases.map(\.stringValue))
        let present = try self.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        if let unknown = present.filter({ !known.contains($0) }).sorted().first {
            throw BadDocument(
                "\(pathText(self.codingPath + [AnyKey(stringValue: unknown)])) is not a key; there are "
                    + Key.allCases.map(\.stringValue).joined(separator: ", ")
            )
        }
        return try self.container(keyedBy: type)
    }
}

extension KeyedDecodingContainer {
    /// A text that is not empty.
    func word(_ key: Key) throws -> String {
        let text = try self.decode(String.self, forKey: key)
        guard !text.isEmpty else { throw BadDocument("\(self.path(key)) is empty") }
        return text
    }

    func integer<Integer: FixedWidthInteger>(_ key: Key, in range: ClosedRange<Integer>) throws -> Integer {
        // Asked for an integer, the decoder says of 1.5 that it is no JSON.
        let number = try self.decode(Double.self, forKey: key)
        guard let integer = Integer(exactly: number), range.contains(integer) else {
            let text = Int(exactly: number).map { "\($0)" } ?? "\(number)"
            throw BadDocument("\(self.path(key)) must be \(range.lowerBound) to \(range.upperBound), not \(text)")
        }
        return integer
    }

    func port(_ key: Key) throws -> UInt16 { try self.integer(key, in: 0...65535) }

    /// Whether it is there, and not null.
    func has(_ key: Key) throws -> Bool { try self.contains(key) && !self.decodeNil(forKey: key) }

    func path(_ key: Key) -> String { pathText(self.codingPath + [key]) }
}

extension BadDocument {
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init("\(pathText(context.codingPath + [key])) is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            self.init("\(pathText(context.codingPath)): \(context.debugDescription)")
        case .dataCorrupted(let context):
            let place = context.codingPath.isEmpty ? "" : "\(pathText(context.codingPath)): "
            let cause = context.underlyingError.map { " \($0)" } ?? ""
            self.init("\(place)\(context.debugDescription)\(cause)")
        @unknown default:
            self.init("\(error)")
        }
    }
}

/// As `services[3].endpoints[0].port`.
private func pathText(_ path: [any CodingKey]) -> String {
    var text = ""
    for key in path {
        if let index = key.intValue {
            text += "[\(index)]"
        } else {
            text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
        }
    }
    return text.isEmpty ? "the document" : text
}
