// SPDX-License-Identifier: Apache-2.0

extension CatalogGuard {
    /// How long ago what stands in for this source was known to be so; nil if nothing does.
    ///
    /// - Parameter wallClock: in seconds since 1970.
    package func age(of source: SourceName, wallClock: Int64) -> Duration? {
        guard let state = self.sources[source], !state.stored.isEmpty, let storedAt = state.storedAt else { return nil }
        return .seconds(max(0, wallClock - storedAt.wallClock))
    }

    /// All that is in force against the word of its source: at most one for each reason and source, but for last
    /// instances, of which there is one for each service.
    package var held: [HeldRemoval] {
        Self.precedence.flatMap { source -> [HeldRemoval] in
            guard let state = self.sources[source] else { return [] }
            return state.heldServices(of: source) + state.heldEntries(of: source)
        }
    }

    /// Of the guard itself and of the input that it left out.
    package var diagnostics: [Diagnostic] {
        let states = Self.precedence.compactMap { source in self.sources[source].map { (source, $0) } }
        return self.held.diagnostics
            + states.flatMap { source, state in
                let stored =
                    state.stored.isEmpty ? [] : state.storedAt.map { [Diagnostic.stored(source, $0.wallClock)] } ?? []
                return stored + state.refusals.sorted { $0.key < $1.key }.flatMap(\.value).abridged(of: source.rawValue)
            }
            + self.shared.sorted().prefix(101).compactMap(self.sharedDiagnostic)
            .abridged(of: "the sources", all: self.shared.count)
    }

    private func sharedDiagnostic(_ name: ServiceName) -> Diagnostic? {
        let owners = Self.precedence.filter { self.sources[$0]?.services.records[name]?.said != nil }
        guard let first = owners.first, let last = owners.last, owners.count > 1,
            let origin = self.sources[last]?.services.records[name]?.said?.origin
        else { return nil }
        return Diagnostic(
            .warning,
            code: "SB301",
            subject: "service/\(name)",
            message: "\(owners.map(\.rawValue).joined(separator: " and ")) have a service of this name; "
                + "that of \(first) is in force, as a whole",
            cure: "register one of them under another name",
            origin: origin
        )
    }
}

extension SourceState {
    func heldServices(of source: SourceName) -> [HeldRemoval] {
        var mass: HeldRemoval?
        var last: [HeldRemoval] = []
        for name in self.services.held.sorted() {
            guard let record = self.services.records[name] else { continue }
            let isEmptied = record.said?.instances.contains(where: \.isRoutable) != true
            let inMass = record.missing.values.count(where: \.isHeldInMass)
            if inMass > 0, let since = self.services.massSince {
                mass =
                    mass
                    ?? HeldRemoval(
                        source: source,
                        reason: .massRemoval,
                        names: [],
                        emptied: 0,
                        instances: 0,
                        since: since,
                        until: self.services.massGraces.first.flatMap(self.clock.time(of:))
                    )
                mass?.names.append(name.rawValue)
                mass?.emptied += isEmptied ? 1 : 0
                mass?.instances += inMass
            }
            let others = record.missing.values.filter { $0.isHeld && !$0.isHeldInMass }
            if let since = others.map(\.since).min(), let until = others.compactMap(\.heldAsLastUntil).max() {
                last.append(
                    HeldRemoval(
                        source: source,
                        reason: .lastInstances,
                        names: [name.rawValue],
                        emptied: isEmptied ? 1 : 0,
                        instances: others.count,
                        since: since,
                        until: self.clock.time(of: until)
                    )
                )
            }
        }
        return (mass.map { [$0] } ?? []) + last
    }

    func heldEntries(of source: SourceName) -> [HeldRemoval] {
        guard let hold = self.entries.hold else { return [] }
        return [
            HeldRemoval(
                source: source,
                reason: .configEntries,
                names: self.entries.heldKeys.map(\.description),
                emptied: 0,
                instances: 0,
                since: hold.since,
                until: self.clock.time(of: hold.until)
            )
        ]
    }
}

extension [HeldRemoval] {
    /// The text does not change while the same is held. Of services that vanished, twenty are named a source.
    fileprivate var diagnostics: [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var named: [SourceName: Int] = [:]
        for removal in self {
            let cure = "bring them back; or accept with signalbox catalog accept --source \(removal.source.rawValue)"
            switch removal.reason {
            case .massRemoval, .configEntries:
                let what =
                    removal.reason == .configEntries
                    ? "\(removal.names.count) config entries"
                    : "\(removal.instances) instances of \(removal.names.count) services"
                diagnostics.append(
                    Diagnostic(
                        .error,
                        code: "SB302",
                        subject: "source/\(removal.source.rawValue)",
                        message: "\(what) went within the window, which is more than should; they are held: "
                            + removal.names.abridged,
                        cure: cure,
                        origin: Origin(file: removal.source.rawValue)
                    )
                )
            case .documents: break  // Not of this guard.
            case .lastInstances:
                named[removal.source, default: 0] += 1
                guard named[removal.source, default: 0] <= 20 else { continue }
                diagnostics.append(
                    Diagnostic(
                        .warning,
                        code: "SB303",
                        subject: "service/\(removal.names.abridged)",
                        message: "\(removal.source.rawValue) has no routable instance of it any more; "
                            + "the last ones (\(removal.instances)) are held",
                        cure: cure,
                        origin: Origin(file: removal.source.rawValue)
                    )
                )
            }
        }
        for (source, count) in named.sorted(by: { $0.key < $1.key }) where count > 20 {
            diagnostics.append(
                Diagnostic(
                    .warning,
                    code: "SB303",
                    subject: "source/\(source.rawValue)",
                    message: "\(count - 20) more services have their last instances held",
                    cure: "bring them back; or accept with signalbox catalog accept --source \(source.rawValue)",
                    origin: Origin(file: source.rawValue)
                )
            )
        }
        return diagnostics
    }
}

extension [Diagnostic] {
    /// Whoever may register services can make any number of them.
    package func abridged(of subject: String, all: Int? = nil) -> [Diagnostic] {
        let limit = 100
        guard self.count > limit, let next = self.dropFirst(limit).first else { return self }
        var summary = next
        summary.message =
            "\((all ?? self.count) - limit) more findings about services of \(subject) are not shown; "
            + "the first of them: \(next.message)"
        return self.prefix(limit) + [summary]
    }
}

extension [String] {
    fileprivate var abridged: String {
        let shown = self.prefix(5).joined(separator: ", ")
        return self.count > 5 ? "\(shown) and \(self.count - 5) more" : shown
    }
}

extension Diagnostic {
    package static let storedCode = "SB304"

    /// That what was stored stands in for a source.
    fileprivate static func stored(_ source: SourceName, _ heardAt: Int64) -> Diagnostic {
        Diagnostic(
            .warning,
            code: Self.storedCode,
            subject: "source/\(source.rawValue)",
            message: "\(source.rawValue) has not been heard since the start; "
                + "what it said at \(timestamp(heardAt)) stands in for it",
            cure: "see why it is not heard: signalbox_source_up, and the status of the source",
            origin: Origin(file: source.rawValue)
        )
    }

    /// That a stored catalog was not taken.
    ///
    /// - Parameter keptAs: what the file is called now; nil if it could not be renamed.
    package static func storedCatalogRefused(_ path: String, because reason: String, keptAs name: String?) -> Diagnostic
    {
        Diagnostic(
            .error,
            code: "SB305",
            subject: "catalog/stored",
            message: "the stored catalog is not used: \(reason)" + (name.map { "; it is kept as \($0)" } ?? ""),
            cure: "find out who wrote to it, and delete it; it is written anew when the sources have been heard",
            origin: Origin(file: path)
        )
    }

    /// What is in force is not on disk.
    package static func catalogNotStored(_ path: String, because reason: String) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB306",
            subject: "catalog/stored",
            message: "the catalog is not stored: \(reason)",
            cure: "let Signalbox write to the state directory, and see that its disk has room; it is tried again",
            origin: Origin(file: path)
        )
    }
}

/// As in RFC 3339, of seconds since 1970. See https://howardhinnant.github.io/date_algorithms.html#civil_from_days
func timestamp(_ seconds: Int64) -> String {
    // Years 0 to 9999.
    let seconds = min(max(seconds, -62_167_219_200), 253_402_300_799)
    let days = Int64((Double(seconds) / 86400).rounded(.down))
    let rest = seconds - days * 86400
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func digits(_ number: Int64, _ count: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return "\(digits(year, 4))-\(digits(month))-\(digits(day))T"
        + "\(digits(rest / 3600)):\(digits(rest / 60 % 60)):\(digits(rest % 60))Z"
}
