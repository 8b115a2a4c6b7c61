// SPDX-License-Identifier: Apache-2.0

package import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Tells what is in a directory of documents, or in one file, and what changes in it.
///
/// A change is noticed by inotify when its writer closes the file, and by a poll where inotify does not reach (a
/// network file system, the far end of a symbolic link, the limit on watches). Whatever the notice, the tree is
/// listed and compared with what was read before, so that a lost notice costs time and never a change: each scan
/// carries all that changed since the scan before it.
package final class FileSource: Sendable {
    /// How often to look where inotify cannot be had.
    private static let pollIntervalWithoutInotify = Duration.seconds(1)
    /// When to look again at files that were in motion.
    private static let soon = Duration.milliseconds(50)
    /// The longest that a stream of changes may put off a look.
    private static let debounceLimit = Duration.milliseconds(200)

    private struct State {
        var wake: AsyncStream<Void>.Continuation?
        var isRescanWanted = false
        var isPolling = false
    }

    private let root: String
    private let pollInterval: Duration
    private let debounce: Duration
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - pollInterval: how often to look without being told to.
    ///   - debounce: how long to wait after a change for more of them.
    package init(
        root: String,
        pollInterval: Duration = .seconds(5),
        debounce: Duration = .milliseconds(20),
        logger: Logger
    ) {
        self.root = root
        self.pollInterval = pollInterval
        self.debounce = min(debounce, Self.debounceLimit)
        self.logger = logger
    }

    /// Looks at once, and delivers a scan even if nothing changed.
    package func rescan() {
        self.state.withLock { state in
            state.isRescanWanted = true
            state.wake?.yield()
        }
    }

    /// Delivers a first scan as soon as the root was read, then one whenever something changed, until the task is
    /// cancelled or `deliver` throws. While `deliver` works, changes gather. One run at a time.
    package func run<Failure: Error>(_ deliver: (FileScan) async throws(Failure) -> Void) async throws(Failure) {
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.state.withLock { $0.wake = wake }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let inotify = await self.makeInotify(on: eventLoop)
        defer { inotify?.close() }

        var iterator = wakes.makeAsyncIterator()
        var tree = FileTree()
        var last: FileScan?
        while !Task.isCancelled {
            let isRescan = self.state.withLock { state in
                defer { state.isRescanWanted = false }
                return state.isRescanWanted
            }
            guard let look = await self.look(after: tree, with: inotify, isFirst: last == nil) else { return }
            tree = look.tree
            let problem = look.problem?.explained(of: self.root)
            if last == nil || isRescan || !look.changes.isEmpty || problem != last?.problem {
                let scan = FileScan(changes: look.changes, isFirst: last == nil, problem: problem)
                last = scan
                try await deliver(scan)
            }
            let timer = eventLoop.scheduleTask(in: TimeAmount(self.pause(after: look))) {
                _ = wake.yield()
            }
            guard await iterator.next() != nil else { return }
            timer.cancel()
            await self.gather(inotify)
        }
    }

    private func makeInotify(on eventLoop: any EventLoop) async -> Inotify? {
        do {
            let inotify = try await Inotify(
                on: eventLoop,
                changed: { self.wakeUp() },
                failed: { self.fallBack(because: "reading its events failed") }
            )
            if let (parent, name) = Self.parentAndName(of: self.root) {
                inotify.watchRoot(named: name, in: parent)
            }
            return inotify
        } catch {
            self.fallBack(because: "\(error)")
            return nil
        }
    }

    private func wakeUp() {
        self.state.withLock { _ = $0.wake?.yield() }
    }

    /// Says once that changes will be noticed later than usual.
    private func fallBack(because reason: String) {
        let isNews = self.state.withLock { state in
            defer { state.isPolling = true }
            return !state.isPolling
        }
        guard isNews else { return }
        self.logger.warning(
            "inotify cannot be had, polling instead",
            metadata: ["source": "file", "problem": "\(reason)", "interval": "\(Self.pollIntervalWithoutInotify)"]
        )
        self.wakeUp()
    }

    /// Looks, on a thread that may wait for a disk. Nil when the task was cancelled.
    ///
    /// The first scan says what there is, so it waits for files that are being written when it comes; but once only,
    /// as a file may be written to for ever.
    private func look(after tree: FileTree, with inotify: Inotify?, isFirst: Bool) async -> Look? {
        func look(_ quiet: FileTree.Quiet) async -> Look? {
            try? await NIOThreadPool.singleton.runIfActive { [root = self.root] in
                Look(at: root, after: tree, with: inotify, quiet: quiet)
            }
        }
        var result = await look(.usual)
        if isFirst, result?.isUnsettled == true {
            try? await Task.sleep(for: Self.soon)
            result = await look(.none)
        }
        if inotify?.isAtLimit == true {
            self.fallBack(because: "the limit on watches is reached")
        }
        return result
    }

    /// How long to wait for a notice before looking without one.
    private func pause(after look: Look) -> Duration {
        if look.isUnsettled { return Self.soon }
        return self.state.withLock { $0.isPolling }
            ? min(self.pollInterval, Self.pollIntervalWithoutInotify) : self.pollInterval
    }

    /// Waits until no more events come: whoever changes many files means them as one change.
    private func gather(_ inotify: Inotify?) async {
        let limit = ContinuousClock.now + Self.debounceLimit
        while let last = inotify?.lastEvent, !Task.isCancelled {
            let end = min(last + self.debounce, limit)
            if end <= .now { return }
            try? await Task.sleep(until: end)
        }
    }

    /// The directory that the root is an entry of, and its name there; nil for `/`, `.` and `..`, which no other takes
    /// the place of.
    private static func parentAndName(of root: String) -> (parent: String, name: String)? {
        var path = root[...]
        while path.hasSuffix("/") { path = path.dropLast() }
        let slash = path.lastIndex(of: "/")
        let name = slash.map { path[path.index(after: $0)...] } ?? path
        if ["", ".", ".."].contains(name) { return nil }
        let parent = slash.map { String(path[...$0]) } ?? "."
        return (parent, String(name))
    }
}
