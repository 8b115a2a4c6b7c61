// SPDX-License-Identifier: Apache-2.0

extension [HeldRemoval] {
    /// The text does not change while the same is held. Of services that vanished, twenty are named a source.
    var diagnostics: [Diagnostic] {
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
                        // Each is told by itself.
                        subject: "source/\(removal.source.rawValue)"
                            + (removal.reason == .configEntries ? "/config-entries" : ""),
                        message: (removal.excess.map { "\($0.words); " } ?? "") + "\(what) are held: "
                            + removal.names.abridged,
                        cure: cure,
                        origin: Origin(file: removal.source.rawValue)
                    )
                )
            case .documents: break  // Not of this guard.
            case .hiddenPolicy: break  // The source says what it is refused.
            case .hidden:
                diagnostics.append(
                    Diagnostic(
                        .warning,
                        code: "SB307",
                        subject: "source/\(removal.source.rawValue)/hidden",
                        message: "the token of \(removal.source.rawValue) may not read \(removal.names.count) "
                            + (removal.names.count == 1 ? "service" : "services") + " any more, and what was known "
                            + "stays in force (instances: \(removal.instances)): \(removal.names.abridged)",
                        cure: "grant it the right again, as the problem of the source says; or let go of them with "
                            + "signalbox catalog accept --source \(removal.source.rawValue)",
                        origin: Origin(file: removal.source.rawValue)
                    )
                )
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
                        cure: Self.lastInstancesCure(removal.source),
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
                    cure: Self.lastInstancesCure(source),
                    origin: Origin(file: source.rawValue)
                )
            )
        }
        return diagnostics
    }

    private static func lastInstancesCure(_ source: SourceName) -> String {
        "if it was stopped, none is needed: it ends by itself after the grace (catalog.vanished.grace.seconds); "
            + "else bring them back; to end it at once, signalbox catalog accept --source \(source.rawValue)"
    }
}

extension Excess {
    /// What went, and the rule with its settings.
    fileprivate var words: String {
        let (what, limit) =
            switch self.kind {
            case .services: ("services have no routable instance any more, which went", "catalog.removal.services")
            case .instances: ("instances went or turned critical", "catalog.removal.instances")
            case .configEntries: ("config entries went", "catalog.removal.services")
            }
        return "\(self.gone) of \(self.all) \(what) within \(self.window.components.seconds) s "
            + "(catalog.removal.window.seconds), which is more than \(self.fraction) % (catalog.removal.percent) "
            + "and more than \(self.limit) (\(limit))"
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

    /// That what was stored stands in for parts of a source; nil if it does for none.
    static func stored(_ source: SourceName, _ state: SourceState) -> Diagnostic? {
        if state.stored.isEmpty { return nil }
        let times = Dictionary(grouping: state.stored.keys) { state.stored[$0] ?? 0 }.sorted { $0.key < $1.key }
        let said = times.map { time, parts in
            (times.count > 1 ? "of its \(Set(parts).words) " : "") + "at \(timestamp(time))"
        }
        return Diagnostic(
            .warning,
            code: Self.storedCode,
            subject: "source/\(source.rawValue)",
            message: "the \(Set(state.stored.keys).words) of \(source.rawValue) have not been heard since the start; "
                + "what it said \(said.joined(separator: " and ")) stands in for them",
            cure: state.status?.problem ?? "wait until it has answered; signalbox catalog status says how it is",
            origin: Origin(file: source.rawValue)
        )
    }

    /// That a stored catalog was not taken.
    ///
    /// - Parameters:
    ///   - path: where it is now.
    ///   - isKept: whether that is another place than it was in.
    package static func storedCatalogRefused(
        _ path: String,
        because reason: String,
        isKept: Bool,
        cure: String
    ) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB305",
            subject: "catalog/stored",
            message: "the stored catalog is not used: \(reason)" + (isKept ? "; it is kept as \(path)" : ""),
            cure: cure,
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
