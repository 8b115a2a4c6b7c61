// SPDX-License-Identifier: Apache-2.0

package import Catalog
import Logging
import Routing
import Synchronization

extension ControlPlaneService {
    /// What is in force and what is wrong, for people.
    package struct Status: Sendable {
        package var diagnostics: [Diagnostic] = []
        package var documentCounts: [(kind: String, count: Int)] = []
        /// In the order of their names.
        package var sources: [SourceStatus] = []
        package var held: [HeldRemoval] = []
        /// How much of each source is in force.
        package var sizes: [SourceName: CatalogGuard.Size] = [:]
        /// How long ago the parts that stand in for those of a source were known to be so.
        package var storedAges: [SourceName: [CatalogGuard.Part: Duration]] = [:]
        /// What must be heard before anything is served.
        package var awaited: [SourceName: Set<CatalogGuard.Part>] = [:]
        /// Sources that the first publication waits for a moment.
        package var waiting: [SourceName] = []
        /// Whether the directory of documents was read.
        package var hasReadFiles = true
        /// On the clock of `held`.
        package var now = Duration.zero

        /// Why nothing is served: the parts that must be heard, and what keeps them from it.
        package var awaitedWords: [String] {
            self.awaited.sorted { $0.key < $1.key }.map { source, parts in
                let what =
                    parts.contains(.services)
                    ? "\(source.rawValue) has" : "the \(parts.words) of \(source.rawValue) have"
                let problem = self.sources.first { $0.source == source }?.problem.map { ": \($0)" } ?? ""
                return "\(what) not been heard yet, and nothing stored stands in\(problem)"
            }
        }
    }

    package var status: Status {
        let now = self.now
        let wallClock = Self.wallClock
        return self.state.withLock { state in
            Status(
                diagnostics: state.diagnostics,
                documentCounts: state.pipeline.counts,
                sources: state.sourceStatuses(hasFiles: self.hasFiles),
                held: state.pipeline.held,
                sizes: state.pipeline.catalogGuard.sizes,
                storedAges: Dictionary(
                    uniqueKeysWithValues: SourceName.allCases.map {
                        ($0, state.pipeline.catalogGuard.storedAges(of: $0, wallClock: wallClock))
                    }
                ),
                awaited: state.pipeline.catalogGuard.awaited,
                waiting: state.unread.subtracting([.file]).sorted(),
                hasReadFiles: !state.unread.contains(.file),
                now: now
            )
        }
    }

    /// Whether anything is taken of it; of files, also of documents that are elsewhere.
    package func follows(_ source: SourceName) -> Bool {
        if source == .file, self.hasFiles { return true }
        return self.state.withLock { state in
            let followed = state.pipeline.followed
            return followed[source] != nil || source == .file && followed.values.contains { $0.contains(.documents) }
        }
    }

    func note(_ status: SourceStatus, after before: SourceStatus?) {
        // The words of a problem change with every try.
        let isNews =
            before?.state != status.state || before?.reason != status.reason || before?.fault != status.fault
            || before?.isPartial != status.isPartial
        guard isNews else { return }
        var metadata: Logger.Metadata = ["source": "\(status.source.rawValue)"]
        if let reason = status.reason { metadata["reason"] = "\(reason)" }
        if let problem = status.problem { metadata["problem"] = "\(problem)" }
        let isWell = (status.state == .starting || status.state == .up) && status.problem == nil
        self.logger.log(
            level: isWell ? .notice : .warning,
            "source is \(status.state.rawValue)",
            metadata: metadata
        )
    }

    func note(_ event: GuardOutcome.Event) {
        let names = event.names.sorted()
        let shown = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
        var metadata: Logger.Metadata = [
            "source": "\(event.source.rawValue)", "reason": "\(event.reason.rawValue)", "services": "\(shown)",
            "instances": "\(event.instances)",
        ]
        switch event.change {
        case .held:
            self.logger.warning("a removal is held", metadata: metadata)
        case .released(let release):
            metadata["release"] = "\(release.rawValue)"
            self.logger.notice("what was held is released", metadata: metadata)
        }
    }
}

extension ControlPlaneService.State {
    /// How long the first publication waits for a source that is not required.
    private static let patience = Duration.seconds(10)

    /// By their own word.
    var statuses: [SourceName: SourceStatus] { self.pipeline.catalogGuard.statuses }

    /// Whether there is something to serve that lacks nothing for sure. Files that cannot be read are waited for.
    func isWhole(at now: Duration) -> Bool {
        guard self.pipeline.hasSomethingToServe, !self.unread.contains(.file) else { return false }
        return self.unread.isEmpty || now >= Self.patience
    }

    /// Whether it is too soon to alarm anybody: what is stored is in force before the files are read and before a source had
    /// the time to answer.
    func isPremature(_ diagnostic: Diagnostic, at now: Duration) -> Bool {
        guard now < Self.patience else { return false }
        if self.unread.contains(.file) { return true }
        guard diagnostic.code == Diagnostic.storedCode else { return false }
        return self.statuses.contains {
            $0.value.state == .starting && diagnostic.subject == "source/\($0.key.rawValue)"
        }
    }

    var diagnostics: [Diagnostic] {
        self.pipeline.diagnostics + [self.storeProblem].compactMap(\.self) + (self.world?.diagnostics ?? [])
    }

    func sourceStatuses(hasFiles: Bool) -> [SourceStatus] {
        let files = SourceStatus(
            source: .file,
            state: self.filesProblem == nil ? .up : .down,
            problem: self.filesProblem,
            reason: self.filesProblem == nil ? nil : "unreachable"
        )
        return (hasFiles ? [files] : []) + self.statuses.values.sorted { $0.source < $1.source }
    }
}
