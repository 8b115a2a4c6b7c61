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
        /// How long ago what stands in for a source was known to be so.
        package var storedAges: [SourceName: Duration] = [:]
        /// Sources that must be heard before anything is served.
        package var awaited: [SourceName] = []
        /// On the clock of `held`.
        package var now = Duration.zero
    }

    package var status: Status {
        let now = self.now
        let wallClock = Self.wallClock
        return self.state.withLock { state in
            Status(
                diagnostics: state.diagnostics,
                documentCounts: state.pipeline.counts,
                sources: state.sourceStatuses(hasFiles: self.hasFiles),
                held: state.pipeline.catalogGuard.held,
                storedAges: Dictionary(
                    uniqueKeysWithValues: SourceName.allCases.compactMap { source in
                        state.pipeline.catalogGuard.age(of: source, wallClock: wallClock).map { (source, $0) }
                    }
                ),
                awaited: state.pipeline.catalogGuard.awaited.keys.sorted(),
                now: now
            )
        }
    }

    func note(_ status: SourceStatus, in state: inout State) {
        guard state.statuses[status.source] != status else { return }
        state.statuses[status.source] = status
        self.logger.log(
            level: status.state == .up || status.state == .starting ? .notice : .warning,
            "source is \(status.state.rawValue)",
            metadata: [
                "source": "\(status.source.rawValue)", "reason": "\(status.reason ?? "")",
                "error": "\(status.problem ?? "")",
            ]
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
    var diagnostics: [Diagnostic] {
        self.pipeline.diagnostics + (self.world?.diagnostics ?? [])
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

extension Logger {
    func log(_ diagnostic: Diagnostic) {
        self.log(
            level: diagnostic.severity == .error ? .error : .warning,
            "configuration diagnostic",
            metadata: [
                "code": "\(diagnostic.code)", "subject": "\(diagnostic.subject ?? "")",
                "origin": "\(diagnostic.origin)", "error": "\(diagnostic.message)", "cure": "\(diagnostic.cure)",
            ]
        )
    }
}
