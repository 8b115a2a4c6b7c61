// SPDX-License-Identifier: Apache-2.0

/// The elements of a JSON array that could be read. One that could not costs itself and no other.
///
/// `null` is an empty array: Go writes an empty slice so.
package struct Listing<Element: Decodable & Sendable>: Decodable, Sendable {
    package var elements: [Element]
    package var unreadable: Unreadable

    package init(elements: [Element] = [], unreadable: Unreadable = Unreadable()) {
        self.elements = elements
        self.unreadable = unreadable
    }

    package init(from decoder: any Decoder) throws {
        self.init()
        if try decoder.singleValueContainer().decodeNil() { return }
        var container = try decoder.unkeyedContainer()
        if let count = container.count { self.elements.reserveCapacity(min(count, 100_000)) }
        while !container.isAtEnd {
            let position = container.currentIndex
            do {
                self.elements.append(try container.decode(Element.self))
            } catch {
                self.unreadable.add("element \(position)", error)
                // A failure does not move on.
                _ = try container.decode(Anything.self)
            }
        }
    }
}

/// The values of a JSON object that could be read. `null` is an empty object.
package struct Mapping<Value: Decodable & Sendable>: Decodable, Sendable {
    package var values: [String: Value]
    package var unreadable: Unreadable

    package init(values: [String: Value] = [:], unreadable: Unreadable = Unreadable()) {
        self.values = values
        self.unreadable = unreadable
    }

    package init(from decoder: any Decoder) throws {
        self.init()
        if try decoder.singleValueContainer().decodeNil() { return }
        let container = try decoder.container(keyedBy: AnyKey.self)
        self.values.reserveCapacity(container.allKeys.count)
        for key in container.allKeys {
            do {
                self.values[key.stringValue] = try container.decode(Value.self, forKey: key)
            } catch {
                self.unreadable.add("\"\(key.stringValue)\"", error)
            }
        }
    }
}

/// A list of texts of which `null` is an empty one.
package struct Strings: Decodable, Hashable, Sendable {
    package var elements: [String]

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self.elements = container.decodeNil() ? [] : try container.decode([String].self)
    }
}

/// What could not be read, and why: the first of it in words, and how much there was.
package struct Unreadable: Hashable, Sendable {
    package static let limit = 10

    /// At most `limit`; short, and fit to be shown.
    package private(set) var reasons: [String] = []
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { self.count == 0 }

    mutating func add(_ place: String, _ error: any Error) {
        self.count += 1
        guard self.reasons.count < Self.limit else { return }
        self.reasons.append(APIError.printable("\(place): \(describe(error))"))
    }
}

struct Anything: Decodable {
    init(from decoder: any Decoder) {}
}

struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        self.stringValue = String(intValue)
        self.intValue = intValue
    }
}

/// What is wrong with a JSON value, and where in it.
func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    func place(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
        let names = (context.codingPath + (last.map { [$0] } ?? [])).compactMap { key in
            key.intValue == nil ? key.stringValue : nil
        }
        return names.isEmpty ? "it" : names.joined(separator: ".")
    }
    func name(_ type: any Any.Type) -> String {
        let name = "\(type)"
        return switch name {
        case "String": "text"
        case "Int", "UInt64", "Int64": "whole number"
        case "Bool": "truth value"
        case _ where name.hasPrefix("Array"): "list"
        default: "object"
        }
    }
    return switch error {
    case .typeMismatch(let type, let context): "\(place(context)) is no \(name(type))"
    case .valueNotFound(_, let context): "\(place(context)) is null"
    case .keyNotFound(let key, let context): "\(place(context, key)) is missing"
    case .dataCorrupted(let context):
        context.codingPath.isEmpty ? context.debugDescription : "\(place(context)): \(context.debugDescription)"
    @unknown default: "\(error)"
    }
}
