// SPDX-License-Identifier: Apache-2.0

package import Catalog
import Metrics
import NIOCore
import NIOPosix
import Synchronization

/// Keeps the last known good catalog on disk, to start from when no source can be heard.
///
/// What goes wrong here never stops anything else: it is told, counted, and tried again.
package final class CatalogStore: Sendable {
    package enum Load: Sendable {
        /// Nothing is stored.
        case absent
        case loaded(StoredCatalog)
        /// It was damaged, or others may have written it.
        case refused(Diagnostic)
    }

    private struct State {
        var wake: AsyncStream<Void>.Continuation?
        /// Since when what is stored is not what is in force.
        var changedAt: ContinuousClock.Instant?
        /// What is stored was refused and could not be set aside: it is not written over.
        var isBlocked = false
        /// What was told, until it works again.
        var failure: String?
    }

    /// At least this between writes, and at least `restFactor` times as long as the last one took.
    private static let restFactor = 20

    private let file: StoreFile
    private let minimumRest: Duration
    private let retryInterval: Duration
    private let refreshInterval: Duration
    private let state = Mutex(State())
    private let errors = Counter(label: "signalbox_catalog_store_errors_total")
    private let age = Gauge(label: "signalbox_catalog_store_age_seconds")

    /// - Parameters:
    ///   - directory: is made if it is not there.
    ///   - minimumRest: at least so long from one write to the next.
    ///   - retryInterval: when to try again what failed.
    ///   - refreshInterval: how often to write though nothing changed, so that the age of what is stored is told right.
    package init(
        directory: String,
        minimumRest: Duration = .seconds(1),
        retryInterval: Duration = .seconds(10),
        refreshInterval: Duration = .seconds(600)
    ) {
        self.file = StoreFile(directory: directory)
        self.minimumRest = minimumRest
        self.retryInterval = retryInterval
        self.refreshInterval = refreshInterval
        self.errors.increment(by: 0)
        self.age.record(0)
    }

    package var path: String { self.file.path }

    /// Reads what is stored, and sets it aside if it is refused. To be called once, before `run`.
    package func load() async -> Load {
        let load = await Self.onThread { [file = self.file] () -> (Load, isBlocked: Bool) in
            file.removeLeftovers()
            do throws(StoreHeader.Refusal) {
                return (try file.read().map(Load.loaded) ?? .absent, false)
            } catch {
                let aside = file.setAside()
                let diagnostic = Diagnostic.storedCatalogRefused(
                    aside ?? file.path,
                    because: error.reason,
                    isKept: aside != nil,
                    cure: error.cure(of: aside ?? file.path, original: aside == nil ? nil : file.path)
                )
                return (.refused(diagnostic), aside == nil)
            }
        }
        self.state.withLock { $0.isBlocked = load.isBlocked }
        return load.0
    }

    /// What is in force is another catalog.
    package func changed() {
        self.state.withLock { state in
            if state.changedAt == nil { state.changedAt = .now }
            state.wake?.yield()
        }
    }

    /// Writes after changes until the task is cancelled, and then once more if there is something to write.
    ///
    /// - Parameters:
    ///   - snapshot: what is in force; nil if nothing is. Called when it is time to write.
    ///   - report: is given what keeps it from being written, and nil once it was.
    package func run(
        _ snapshot: () async -> StoredCatalog?,
        report: (Diagnostic?) -> Void = { _ in }
    ) async {
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.state.withLock { $0.wake = wake }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        var iterator = wakes.makeAsyncIterator()
        var earliest = ContinuousClock.now
        while !Task.isCancelled {
            if !self.isBehind {
                let refresh = eventLoop.scheduleTask(in: TimeAmount(self.refreshInterval)) { self.changed() }
                let isWoken = await iterator.next() != nil
                refresh.cancel()
                guard isWoken else { break }
                continue
            }
            try? await Task.sleep(until: earliest)
            if Task.isCancelled { break }
            let rest = await self.write(snapshot, report)
            earliest = .now + rest
        }
        if self.isBehind { _ = await self.write(snapshot, report) }
        self.state.withLock { $0.wake = nil }
    }

    private var isBehind: Bool { self.state.withLock { $0.changedAt != nil } }

    /// - Returns: how long to rest before the next.
    private func write(_ snapshot: () async -> StoredCatalog?, _ report: (Diagnostic?) -> Void) async -> Duration {
        let start = ContinuousClock.now
        let (changedAt, isBlocked) = self.state.withLock { state in
            defer { state.changedAt = nil }
            return (state.changedAt ?? start, state.isBlocked)
        }
        guard let catalog = await snapshot() else { return self.minimumRest }
        let failure: StoreFile.Failure? = await Self.onThread { [file = self.file] () -> StoreFile.Failure? in
            if isBlocked { return StoreFile.Failure("what was refused there could not be set aside") }
            do throws(StoreFile.Failure) {
                _ = try file.write(catalog)
                return nil
            } catch {
                return error
            }
        }
        guard let failure else {
            if self.succeeded() { report(nil) }
            return max(self.minimumRest, (.now - start) * Self.restFactor)
        }
        if self.failed(failure, changedAt: changedAt) {
            report(.catalogNotStored(self.path, because: failure.description))
        }
        return max(self.minimumRest, self.retryInterval)
    }

    /// - Returns: whether that is news; and so below.
    private func succeeded() -> Bool {
        self.age.record(0)
        return self.state.withLock { state in
            defer { state.failure = nil }
            return state.failure != nil
        }
    }

    private func failed(_ failure: StoreFile.Failure, changedAt: ContinuousClock.Instant) -> Bool {
        self.errors.increment()
        self.age.record((.now - changedAt).components.seconds)
        return self.state.withLock { state in
            state.changedAt = changedAt
            defer { state.failure = failure.description }
            return state.failure != failure.description
        }
    }

    /// Works on a thread that may wait for a disk, also for a task that is cancelled.
    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in
                // The pool of the process is never shut down; if it were, waiting here would do no harm any more.
                continuation.resume(returning: body())
            }
        }
    }
}
