// SPDX-License-Identifier: Apache-2.0

extension CatalogGuard {
    /// Lets what was stored stand in for sources that have not been heard. To be called once, before anything else.
    ///
    /// - Parameter wallClock: in seconds since 1970.
    /// - Returns: also the documents that stand in.
    package mutating func seed(
        _ stored: StoredCatalog,
        wallClock: Int64,
        at now: Duration
    ) -> (documents: [SourceName: [FileChange]], outcome: GuardOutcome) {
        var documents: [SourceName: [FileChange]] = [:]
        var outcome = GuardOutcome()
        let known = self.known
        for (name, source) in stored.sources.sorted(by: { $0.key < $1.key }) where known.contains(name) {
            let next = self.withSource(name) { state in
                // Whatever the file says, and if the clock went back.
                let heardAt = source.heardAt.mapValues { max(0, min($0, wallClock)) }
                if let services = source.services, !state.heard.contains(.services) {
                    state.services.seed(services.compactMap { state.admit($0, named: $0.name, from: name) })
                    state.stored[.services] = heardAt[.services]
                }
                if let entries = source.configEntries, !state.heard.contains(.configEntries) {
                    state.entries.seed(entries)
                    state.stored[.configEntries] = heardAt[.configEntries]
                }
                if let stored = source.documents, !state.heard.contains(.documents) {
                    state.documents = Dictionary(stored.map { ($0.path, $0.bytes) }, uniquingKeysWith: { $1 })
                    state.stored[.documents] = heardAt[.documents]
                    documents[name] = state.documents.sorted { $0.key < $1.key }
                        .map { FileChange(path: $0.key, content: .bytes($0.value)) }
                }
                return EventTally()
            }
            outcome.add(next)
        }
        return (documents, outcome)
    }

    /// The sources that are stored. Files are there to be read.
    private var known: Set<SourceName> { Set(self.settings.rules.keys).union(self.settings.required.keys) }

    /// What is in force of each source that was heard, and what others have beside it, to start from the next time.
    ///
    /// - Parameter wallClock: in seconds since 1970, at `now`.
    package func stored(wallClock: Int64, at now: Duration) -> StoredCatalog {
        let known = self.known
        var sources: [SourceName: StoredCatalog.Source] = [:]
        for (name, state) in self.sources where known.contains(name) {
            let parts = state.heard.union(state.stored.keys)
            guard !parts.isEmpty else { continue }
            let lastHeard = wallClock - (state.downSince.map { max(.zero, now - $0).components.seconds } ?? 0)
            // What is held where another source's word counts is not in force, and would be taken for said the next time.
            let outranked = state.services.held.filter { self.claims(to: $0).owner != name }
            sources[name] = StoredCatalog.Source(
                heardAt: { state.stored[$0] ?? lastHeard },
                services: parts.contains(.services) ? state.services.allInForce(exceptHeldOf: outranked) : nil,
                configEntries: parts.contains(.configEntries) ? state.entries.inForce : nil,
                documents: parts.contains(.documents)
                    ? state.documents.sorted { $0.key < $1.key }
                        .map { StoredCatalog.Document(path: $0.key, bytes: $0.value) } : nil
            )
        }
        return StoredCatalog(savedAt: wallClock, sources: sources)
    }
}
