// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// Why an entry, or a part of it, cannot be used.
struct EntryRefusal: Error, Equatable {
    /// Such as "Routes[0].Match.HTTP.PathRegex"; empty for the whole.
    var field: String
    var reason: String
    var cure: String
}

/// What of an entry has no effect.
struct EntryFindings: Equatable {
    /// Names of top-level fields that mean something in the mesh only.
    var meshOnly: [String] = []
    /// Other fields that are not used.
    var unused: [EntryRefusal] = []
    /// Parts that are left out, because what they would do without the field is not what they say.
    var leftOut: [EntryRefusal] = []
    /// What these parts say, and how many say it.
    var leftOutParts: [JSON: Int] = [:]
    /// What the other parts of their kind say.
    var takenParts: [JSON: Int] = [:]
}

/// The members of one object of an entry, read by their names in Consul's answers.
///
/// A value of another type than the field's is refused. Null and what Go writes for a field that is not set are as if the
/// field were not there.
struct EntryFields {
    let members: [String: JSON]
    /// With those that say nothing.
    private let all: [String: JSON]
    let path: String

    init(_ members: [String: JSON], path: String = "") {
        self.members = members.filter { !$0.value.isEmpty }
        self.all = members
        self.path = path
    }

    /// All that was written.
    var json: JSON { .object(self.all) }

    func path(of name: String) -> String { self.path.isEmpty ? name : "\(self.path).\(name)" }

    func refusal(_ name: String, _ reason: String, cure: String) -> EntryRefusal {
        EntryRefusal(field: self.path(of: name), reason: reason, cure: cure)
    }

    func wrongType(_ name: String, _ value: JSON, expected: String) -> EntryRefusal {
        self.refusal(name, "it is \(value.kind) and not \(expected)", cure: "write \(expected)")
    }

    // MARK: Values

    func string(_ name: String) throws(EntryRefusal) -> String? {
        switch self.members[name] {
        case nil: return nil
        case .string(let text):
            guard text.utf8.count <= 4096 else {
                throw self.refusal(name, "it has over 4,096 bytes", cure: "shorten it")
            }
            return text
        case .some(let other): throw self.wrongType(name, other, expected: "a string")
        }
    }

    func boolean(_ name: String) throws(EntryRefusal) -> Bool {
        switch self.members[name] {
        case nil: return false
        case .boolean(let value): return value
        case .some(let other): throw self.wrongType(name, other, expected: "true or false")
        }
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(EntryRefusal) -> Double? {
        switch self.members[name] {
        case nil: return nil
        case .number(let text):
            guard let value = Double(text), range.contains(value) else {
                throw self.refusal(
                    name,
                    "it is \(text.printable) and not in \(range.lowerBound)...\(range.upperBound)",
                    cure: "write a number in that range"
                )
            }
            return value
        case .some(let other): throw self.wrongType(name, other, expected: "a number")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(EntryRefusal) -> Int? {
        let number = try self.number(name, in: Double(range.lowerBound)...Double(range.upperBound))
        return try number.map { number throws(EntryRefusal) in
            guard let integer = Int(exactly: number) else {
                throw self.refusal(name, "it is no whole number", cure: "write a whole number")
            }
            return integer
        }
    }

    /// Go's text form, or nanoseconds.
    func duration(_ name: String) throws(EntryRefusal) -> Duration? {
        let duration: Duration?
        switch self.members[name] {
        case nil: return nil
        case .string(let text): duration = GoDuration.parse(text)
        case .number(let text): duration = Int64(text).map { .nanoseconds($0) }
        case .some(let other): throw self.wrongType(name, other, expected: "a duration")
        }
        guard let duration, duration >= .zero, duration <= GoDuration.maximum else {
            throw self.refusal(name, "it is no duration of at most 24h", cure: "write a duration such as 15s or 250ms")
        }
        return duration > .zero ? duration : nil
    }

    func object(_ name: String) throws(EntryRefusal) -> EntryFields? {
        switch self.members[name] {
        case nil: return nil
        case .object(let members): return EntryFields(members, path: self.path(of: name))
        case .some(let other): throw self.wrongType(name, other, expected: "an object")
        }
    }

    func array(_ name: String, atMost maximum: Int = 1000) throws(EntryRefusal) -> [JSON] {
        switch self.members[name] {
        case nil: return []
        case .array(let items):
            guard items.count <= maximum else {
                throw self.refusal(name, "it has over \(maximum) entries", cure: "shorten it")
            }
            return items
        case .some(let other): throw self.wrongType(name, other, expected: "a list")
        }
    }

    func objects(_ name: String, atMost maximum: Int = 1000) throws(EntryRefusal) -> [EntryFields] {
        var objects: [EntryFields] = []
        for (index, item) in try self.array(name, atMost: maximum).enumerated() {
            switch item {
            case .object(let members): objects.append(EntryFields(members, path: "\(self.path(of: name))[\(index)]"))
            case .null: objects.append(EntryFields([:], path: "\(self.path(of: name))[\(index)]"))
            default: throw self.wrongType("\(name)[\(index)]", item, expected: "an object")
            }
        }
        return objects
    }

    /// By names that are the operator's; also of objects that say nothing.
    func mapping(_ name: String) throws(EntryRefusal) -> [(key: String, value: EntryFields)] {
        guard let value = self.all[name], value != .null else { return [] }
        guard case .object(let members) = value else { throw self.wrongType(name, value, expected: "an object") }
        guard members.count <= 1000 else { throw self.refusal(name, "it has over 1000 entries", cure: "shorten it") }
        var mapping: [(key: String, value: EntryFields)] = []
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            let path = "\(self.path(of: name))[\(key.printable)]"
            switch value {
            case .object(let members): mapping.append((key, EntryFields(members, path: path)))
            case .null: mapping.append((key, EntryFields([:], path: path)))
            default: throw EntryRefusal(field: path, reason: "it is \(value.kind)", cure: "write an object")
            }
        }
        return mapping
    }

    func strings(_ name: String) throws(EntryRefusal) -> [String] {
        var strings: [String] = []
        for (index, item) in try self.array(name).enumerated() {
            guard case .string(let text) = item else {
                throw self.wrongType("\(name)[\(index)]", item, expected: "a string")
            }
            strings.append(text)
        }
        return strings
    }

    // MARK: Fields that are not read

    /// Notes what says something that has no effect here.
    func note(
        allBut known: Set<String>,
        meshOnly: Set<String> = [],
        in findings: inout EntryFindings
    ) {
        for name in self.members.keys.sorted() where !known.contains(name) {
            if meshOnly.contains(name) {
                findings.meshOnly.append(self.path(of: name))
            } else {
                findings.unused.append(
                    self.refusal(name, "it is not supported", cure: "take it out, or do without what it does")
                )
            }
        }
    }

    /// Refuses what would mean something else without one of its fields.
    func require(nothingBut known: Set<String>) throws(EntryRefusal) {
        guard let name = self.members.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw self.refusal(name, "it is not supported", cure: "do without it, or write a route document instead")
    }
}

/// See https://pkg.go.dev/time#ParseDuration
enum GoDuration {
    static let maximum = TextSyntax.maximumDuration

    static func parse(_ text: String) -> Duration? {
        guard text.utf8.count <= 64 else { return nil }
        if text == "0" { return .zero }
        var rest = text.utf8[...]
        var seconds = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) && $0 != UInt8(ascii: ".") }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(String(Substring(number))), let factor = self.units[String(Substring(unit))] else {
                return nil
            }
            seconds += value * factor
        }
        // Beyond the maximum anyway, and more than the conversion takes.
        guard seconds <= 1e9 else { return nil }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    private static let units: [String: Double] = [
        "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "\u{B5}s": 1e-6, "\u{3BC}s": 1e-6, "ns": 1e-9,
    ]
}
