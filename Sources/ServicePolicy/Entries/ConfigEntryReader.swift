// SPDX-License-Identifier: Apache-2.0

package import Catalog
import Routing

/// Reads config entries, and keeps of each the last version that could be read.
///
/// What did not change is not read again.
package struct ConfigEntryReader: Sendable {
    private var readings: [ConfigEntry.Key: Reading] = [:]
    package private(set) var entries = ConfigEntries()
    /// In the order of the entries.
    package private(set) var diagnostics: [Diagnostic] = []

    package init() {}

    /// - Parameter entries: all that there are.
    /// - Returns: whether they say something else than before.
    package mutating func apply(_ entries: [ConfigEntry]) -> Bool {
        var readings: [ConfigEntry.Key: Reading] = [:]
        for entry in entries.sorted(by: { $0.key < $1.key }) where readings[entry.key] == nil {
            readings[entry.key] = Reading(entry, previous: self.readings[entry.key])
        }
        self.readings = readings
        let ordered = readings.sorted { $0.key < $1.key }.map(\.value)
        self.diagnostics = ordered.flatMap(\.diagnostics)
        let before = self.entries
        self.entries = ConfigEntries()
        for reading in ordered {
            self.entries.add(reading.inForce, name: ServiceName(reading.entry.key.name))
        }
        return self.entries != before
    }
}

/// What an entry was read as.
private enum EntryValue: Hashable, Sendable {
    case proxyDefaults(ServiceSettings)
    case serviceDefaults(ServiceSettings)
    case resolver(ServiceResolver)
    case splitter(ServiceSplitter)
    case router(ServiceRouter)
}

extension ConfigEntries {
    fileprivate mutating func add(_ value: EntryValue?, name: ServiceName) {
        switch value {
        case .proxyDefaults(let settings): self.proxyDefaults = settings
        case .serviceDefaults(let settings): self.serviceDefaults[name] = settings
        case .resolver(let resolver): self.resolvers[name] = resolver
        case .splitter(let splitter): self.splitters[name] = splitter
        case .router(let router): self.routers[name] = router
        case nil: break
        }
    }
}

/// What an entry said, and which routes of a router it had.
private struct Version: Sendable {
    let value: EntryValue
    /// Routes that could not be used.
    let leftOut: [JSON: Int]
    /// The others.
    let taken: [JSON: Int]

    /// Whether a route that was good would go because it was edited badly. One that never was good may be edited.
    func isBetter(than findings: EntryFindings) -> Bool {
        !self.taken.isContained(in: findings.takenParts) && !findings.leftOutParts.isContained(in: self.leftOut)
    }
}

private struct Reading: Sendable {
    let entry: ConfigEntry
    /// The last that could be read.
    private let lastGood: Version?
    let diagnostics: [Diagnostic]

    var inForce: EntryValue? { self.lastGood?.value }

    init(_ entry: ConfigEntry, previous: Reading?) {
        if let previous, previous.entry == entry {
            self = previous
            return
        }
        self.entry = entry
        let lastGood = previous?.lastGood
        var findings = EntryFindings()
        do {
            let value = try Self.read(entry, findings: &findings)
            let isKept = lastGood?.isBetter(than: findings) ?? false
            let new = Version(value: value, leftOut: findings.leftOutParts, taken: findings.takenParts)
            self.lastGood = isKept ? lastGood : new
            let consequence = isKept ? Self.isKept : "this route is left out"
            self.diagnostics = entry.diagnostics(of: findings, consequence: consequence)
        } catch {
            self.lastGood = lastGood
            let consequence = lastGood == nil ? "it is left out" : Self.isKept
            self.diagnostics = [entry.diagnostic(of: error, consequence: consequence)]
        }
    }

    private static let isKept = "its last good version stays in force"

    private static func read(
        _ entry: ConfigEntry,
        findings: inout EntryFindings
    ) throws(EntryRefusal) -> EntryValue {
        let json: JSON
        do {
            json = try JSONParser.parse(entry.json)
        } catch {
            throw EntryRefusal(field: "", reason: "it is no JSON: \(error.reason)", cure: "write the entry anew")
        }
        guard case .object(let members) = json else {
            throw EntryRefusal(field: "", reason: "it is no object", cure: "write the entry anew")
        }
        guard entry.key.name.isLabel else {
            throw EntryRefusal(field: "Name", reason: "it is no name of a service", cure: "write up to 255 of ASCII")
        }
        let fields = EntryFields(members)
        let origin = entry.origin
        switch entry.key.kind {
        case "proxy-defaults":
            return .proxyDefaults(try ServiceSettings(proxyDefaults: fields, origin: origin, findings: &findings))
        case "service-defaults":
            return .serviceDefaults(try ServiceSettings(fields, origin: origin, findings: &findings))
        case "service-resolver":
            return .resolver(try ServiceResolver(fields, origin: origin, findings: &findings))
        case "service-splitter":
            return .splitter(try ServiceSplitter(fields, origin: origin, findings: &findings))
        case "service-router":
            return .router(try ServiceRouter(fields, origin: origin, findings: &findings))
        default:
            throw EntryRefusal(
                field: "Kind",
                reason: "entries of this kind mean nothing outside the mesh",
                cure: "nothing is to be done"
            )
        }
    }
}

extension [JSON: Int] {
    fileprivate func isContained(in other: Self) -> Bool {
        self.allSatisfy { $0.value <= other[$0.key, default: 0] }
    }
}
