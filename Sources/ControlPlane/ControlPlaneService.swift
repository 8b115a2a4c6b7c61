// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Discovery
package import Documents
package import Logging
import Routing
import ServiceLifecycle
import Synchronization
package import XDSServer

/// Keeps the snapshot cache in step with the files: watch, compile, publish, report.
package final class ControlPlaneService: ServiceLifecycle.Service {
    /// What is in force and what is wrong, for people.
    package struct Status: Sendable {
        package var diagnostics: [Diagnostic] = []
        package var documentCounts: [(kind: String, count: Int)] = []
        /// Why the directory cannot be listed, while it cannot.
        package var sourceProblem: String?
    }

    private struct State {
        var pipeline: Pipeline
        var world: TopologyWorld?
        var sourceProblem: String?
        /// Those already logged, so that each is logged once.
        var logged: Set<Diagnostic> = []
    }

    private let source: FileSource
    private let cache: SnapshotCache
    private let metrics = ControlPlaneMetrics()
    private let logger: Logger
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let state: Mutex<State>

    package init(source: FileSource, options: DocumentSet.Options, cache: SnapshotCache, logger: Logger) {
        self.source = source
        self.cache = cache
        self.logger = logger
        self.start = self.clock.now
        self.state = Mutex(State(pipeline: Pipeline(options)))
    }

    package func run() async {
        await cancelWhenGracefulShutdown {
            await self.source.run { scan in self.apply(scan) }
        }
    }

    /// Reads what changed, now.
    package func reload() {
        self.source.rescan()
    }

    /// Lets go what the removal guard holds.
    package func acceptRemovals() {
        self.state.withLock { state in
            let changed = state.pipeline.acceptRemovals()
            self.publish(&state, changed: changed)
        }
    }

    /// Whether there is something to serve. Once true it stays true: a source that fails later takes nothing away.
    package var hasConfiguration: Bool { self.cache.generation > 0 }

    package var status: Status {
        self.state.withLock { state in
            Status(
                diagnostics: state.pipeline.diagnostics + (state.world?.diagnostics ?? []),
                documentCounts: state.pipeline.counts,
                sourceProblem: state.sourceProblem
            )
        }
    }

    private func apply(_ scan: FileScan) {
        self.state.withLock { state in
            state.sourceProblem = scan.problem
            let started = self.clock.now
            let changed = state.pipeline.apply(scan.changes, at: self.start.duration(to: started))
            self.publish(&state, changed: changed)
            if changed { self.metrics.built(in: started.duration(to: self.clock.now)) }
        }
    }

    private func publish(_ state: inout State, changed: Bool) {
        // Nothing is published before there is something to publish: a start with an empty, missing or broken directory
        // must not empty the proxies that reconnect.
        let isFirst = state.world == nil
        if isFirst ? !state.pipeline.topology.gateways.isEmpty : changed {
            let world = TopologyWorld(state.pipeline.topology, previous: state.world)
            self.cache.publish(world)
            state.world = world
            self.logger.info("published a snapshot", metadata: ["generation": "\(self.cache.generation)"])
        }
        let diagnostics = state.pipeline.diagnostics + (state.world?.diagnostics ?? [])
        for diagnostic in diagnostics where !state.logged.contains(diagnostic) {
            self.logger.log(
                level: diagnostic.severity == .error ? .error : .warning,
                "configuration diagnostic",
                metadata: [
                    "code": "\(diagnostic.code)", "subject": "\(diagnostic.subject ?? "")",
                    "origin": "\(diagnostic.origin)", "error": "\(diagnostic.message)", "cure": "\(diagnostic.cure)",
                ]
            )
        }
        state.logged = Set(diagnostics)
        if let problem = state.sourceProblem {
            self.logger.warning("the documents cannot be listed", metadata: ["error": "\(problem)"])
        }
        self.metrics.update(
            diagnostics: diagnostics,
            documents: state.pipeline.counts,
            generation: self.cache.generation,
            isSourceUp: state.sourceProblem == nil
        )
    }
}
