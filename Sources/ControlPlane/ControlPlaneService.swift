// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Discovery
import Documents
package import Logging
import Routing
import ServiceLifecycle
import Synchronization
package import XDSServer

/// Keeps the snapshot cache in step with the sources: gather, guard, compile, publish, report.
package final class ControlPlaneService: ServiceLifecycle.Service {
    struct State {
        var pipeline: Pipeline
        var world: TopologyWorld?
        /// Of the directory of documents, while it cannot be listed.
        var filesProblem: String?
        /// What the first publication waits for, so that it lacks nothing that a moment later is there.
        var unread: Set<SourceName> = []
        /// What keeps the catalog from being stored.
        var storeProblem: Diagnostic?
        var log = DiagnosticLog()
    }

    private let files: FileSource?
    private let sources: [any ServiceSource]
    let store: CatalogStore?
    private let cache: SnapshotCache
    private let metrics: ControlPlaneMetrics
    let logger: Logger
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    let state: Mutex<State>
    /// That translation found something: often for a proxy that came, when nothing else changed.
    private let findings = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Parameters:
    ///   - files: the directory of documents, if there is one.
    ///   - store: where the last known good is kept; nil: in memory only.
    package init(
        files: FileSource?,
        sources: [any ServiceSource] = [],
        options: Pipeline.Options,
        store: CatalogStore? = nil,
        cache: SnapshotCache,
        logger: Logger
    ) {
        self.files = files
        self.sources = sources
        self.store = store
        self.cache = cache
        self.logger = logger
        self.metrics = ControlPlaneMetrics(of: sources.map(\.name))
        self.start = self.clock.now
        var pipeline = Pipeline(options)
        for source in sources {
            let status = SourceStatus(source: source.name, state: .starting)
            _ = pipeline.apply(.status(status), from: source.name, at: .zero)
        }
        self.state = Mutex(
            State(
                pipeline: pipeline,
                unread: Set(sources.map(\.name)).union(files == nil ? [] : [.file])
            )
        )
    }

    package func run() async {
        let known = await self.restore()
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                if let files = self.files {
                    group.addTask { await files.run { scan in self.apply(scan) } }
                }
                for source in self.sources {
                    group.addTask {
                        await source.run(knowing: known[source.name] ?? KnownWord()) {
                            self.apply($0, from: source.name)
                        }
                    }
                }
                if !self.sources.isEmpty {
                    group.addTask { await self.keepTime() }
                }
                group.addTask { await self.reportFindings() }
                if let store = self.store {
                    group.addTask { await store.run({ self.storedCatalog }, report: self.apply) }
                }
                await group.waitForAll()
            }
        }
    }

    /// Whether there is something to serve. Once true it stays true: a source that fails later takes nothing away.
    package var hasConfiguration: Bool { self.cache.generation > 0 }

    var hasFiles: Bool { self.files != nil }
    var now: Duration { self.start.duration(to: self.clock.now) }

    // MARK: Inputs

    private func apply(_ scan: FileScan) {
        self.change(by: "documents") { state, now in
            if let problem = scan.problem, problem != state.filesProblem {
                self.logger.warning(
                    "the documents cannot be listed",
                    metadata: ["source": "file", "reason": "unreachable", "problem": "\(problem)"]
                )
            }
            state.filesProblem = scan.problem
            if scan.problem == nil { state.unread.remove(.file) }
            self.metrics.reloaded()
            return state.pipeline.apply(scan.changes, at: now) ? .anything : .none
        }
    }

    private func apply(_ report: SourceReport, from source: SourceName) {
        self.change(by: source.rawValue) { state, now in
            switch report {
            case .facts(let facts): return state.pipeline.apply(facts, at: now)
            case .event(let event):
                switch event {
                case .status(let status): self.note(status, after: state.statuses[source])
                case .catalog: state.unread.remove(source)
                case .configEntries, .documents, .hiddenPolicy, .diagnostics, .untaken: break
                }
                return state.pipeline.apply(event, from: source, at: now)
            }
        }
    }

    /// Lets go what is held, when it is due.
    private func keepTime() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            let isDue = self.state.withLock { state in
                let deadlines = [state.pipeline.nextDeadline, state.log.due].compactMap(\.self)
                return state.world == nil || deadlines.contains { $0 <= self.now }
            }
            guard isDue else { continue }
            self.change(by: "time") { state, now in state.pipeline.advance(to: now) }
        }
    }

    /// Those of proxies that come, once a second at most.
    private func reportFindings() async {
        for await _ in self.findings.stream {
            self.change(by: "proxies") { _, _ in .none }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Reads the documents that changed, now.
    package func reload() {
        self.files?.rescan()
    }

    /// Lets go what is held of a source, or of all.
    package func accept(_ source: SourceName?) -> Acceptance {
        let sources = source.map { [$0] } ?? SourceName.allCases
        var acceptance = Acceptance(source, of: [])
        self.change(by: "an operator") { state, now in
            acceptance = Acceptance(source, of: state.pipeline.held)
            return state.pipeline.accept(sources, at: now)
        }
        for source in self.sources where sources.contains(source.name) { source.accept() }
        return acceptance
    }

    // MARK: Publication

    func change(by cause: String, _ body: (inout State, Duration) -> Pipeline.Change) {
        self.state.withLock { state in
            let started = self.clock.now
            let said = state.pipeline.revision
            let change = body(&state, self.start.duration(to: started))
            self.publish(&state, change: change, cause: cause, at: self.start.duration(to: started))
            if change != .none {
                self.metrics.built(in: started.duration(to: self.clock.now))
            }
            // Also what no route sees: it stands in for the source the next time.
            if state.pipeline.revision != said { self.store?.changed() }
            self.report(&state)
        }
    }

    private func publish(_ state: inout State, change: Pipeline.Change, cause: String, at now: Duration) {
        // Nothing is published before there is something to publish: a start with an empty, missing or broken directory
        // must not empty the proxies that reconnect.
        let isFirst = state.world == nil
        guard isFirst ? state.isWhole(at: now) : change != .none else { return }
        var changedTargets: Set<TargetID>?
        if case .endpoints(let targets) = change { changedTargets = targets }
        let world = TopologyWorld(
            state.pipeline.topology,
            previous: state.world,
            changedTargets: changedTargets,
            onFindings: { [findings = self.findings.continuation] in findings.yield() }
        )
        self.cache.publish(world)
        state.world = world
        self.logger.log(
            level: changedTargets == nil ? .info : .debug,
            "published a snapshot",
            metadata: ["generation": "\(self.cache.generation)", "cause": "\(cause)"]
        )
    }

    private func report(_ state: inout State) {
        for event in state.pipeline.takeGuardEvents() {
            self.note(event)
            self.metrics.held(event)
        }
        let diagnostics = state.diagnostics
        let due = diagnostics.filter { !state.isPremature($0, at: self.now) || state.log.hasTold($0) }
        let news = state.log.update(due, at: self.now)
        for diagnostic in news.new { self.logger.log(diagnostic) }
        for diagnostic in news.cured { self.logger.log(cured: diagnostic) }
        self.metrics.update(
            diagnostics: diagnostics,
            documents: state.pipeline.counts,
            generation: self.cache.generation,
            sources: state.sourceStatuses(hasFiles: self.hasFiles),
            held: state.pipeline.held
        )
    }
}
