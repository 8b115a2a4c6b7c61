// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The kernel's notice of changes in the directories of the tree, as a flow of "look again".
///
/// An event says where to look and never what is there: the tree is listed anew each time. All that is kept of the
/// events is who is done writing which file, because a listing cannot show that.
///
/// One descriptor reads the events and belongs to NIO, which closes it. Watches are added and removed through a
/// duplicate of it, which belongs to this object.
final class Inotify: Sendable {
    private struct State {
        var writers = FileWriters()
        var lastEvent: ContinuousClock.Instant?
        /// The root as an entry of its parent: all that matters of what happens in the parent.
        var root: WatchedName?
        var watches: Set<Int32> = []
        var isAtLimit = false
    }

    private let state = Mutex(State())
    private let descriptor: Int32
    private let channel: any Channel

    /// - Parameters:
    ///   - changed: called on the event loop when the tree may look different.
    ///   - failed: called on the event loop when no more events will come.
    init(
        on eventLoop: any EventLoop,
        changed: @escaping @Sendable () -> Void,
        failed: @escaping @Sendable () -> Void
    ) async throws {
        let events = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard events >= 0 else { throw IOError(errnoCode: errno, reason: "inotify_init1") }
        self.descriptor = fcntl(events, F_DUPFD_CLOEXEC, 0)
        do {
            guard self.descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "fcntl") }
            self.channel = try await NIOPipeBootstrap(group: eventLoop)
                // A buffer too small for the next event would fail the read: inotify(7).
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 * 1024))
                .takingOwnershipOfDescriptor(input: events)
                .get()
        } catch {
            Glibc.close(events)
            if self.descriptor >= 0 { Glibc.close(self.descriptor) }
            throw error
        }
        let handler = Handler(
            received: { [weak self] events in
                if self?.note(events) == true { changed() }
            },
            failed: failed
        )
        do {
            // In time: there are no watches yet, so no events.
            try await self.channel.pipeline.addHandler(handler).get()
        } catch {
            self.close()
            throw error
        }
    }

    deinit {
        Glibc.close(self.descriptor)
    }

    func close() {
        self.channel.close(promise: nil)
    }

    /// Watches the entry `root.name` of the directory `parent`, so that its replacement is seen.
    func watchRoot(named name: String, in parent: String) {
        let watch = self.add(parent)
        self.state.withLock { $0.root = watch.map { WatchedName(watch: $0, name: name) } }
    }

    /// Nil when it cannot be watched. Watching a directory again changes nothing.
    func add(_ directory: String) -> Int32? {
        let watch = inotify_add_watch(self.descriptor, directory, InotifyEvent.interest | UInt32(IN_ONLYDIR))
        if watch >= 0 { return watch }
        // /proc/sys/fs/inotify/max_user_watches
        if errno == ENOSPC { self.state.withLock { $0.isAtLimit = true } }
        return nil
    }

    /// Whether a directory is not watched because the limit on watches was reached.
    var isAtLimit: Bool {
        self.state.withLock { $0.isAtLimit }
    }

    /// Ends the watches of the directories that are not part of the tree any more.
    func keep(_ watches: Set<Int32>) {
        let ended = self.state.withLock { state in
            defer { state.watches = watches }
            return state.watches.subtracting(watches).filter { $0 != state.root?.watch }
        }
        for watch in ended {
            inotify_rm_watch(self.descriptor, watch)
        }
    }

    /// When the last event came that called for a look.
    var lastEvent: ContinuousClock.Instant? {
        self.state.withLock { $0.lastEvent }
    }

    var root: WatchedName? {
        self.state.withLock { $0.root }
    }

    func takeWriters() -> FileWriters {
        self.state.withLock { $0.writers.take() }
    }

    /// Whether any of the events calls for a look.
    private func note(_ events: [InotifyEvent]) -> Bool {
        self.state.withLock { state in
            var isNews = false
            for event in events {
                if let root = state.root, event.watch == root.watch, !state.watches.contains(event.watch) {
                    if event.name != root.name { continue }
                    isNews = isNews || !event.writesFile
                } else {
                    isNews = isNews || event.concernsDocuments
                }
                state.writers.note(event)
            }
            if isNews { state.lastEvent = .now }
            return isNews
        }
    }

    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        private let received: @Sendable ([InotifyEvent]) -> Void
        private let failed: @Sendable () -> Void

        init(
            received: @escaping @Sendable ([InotifyEvent]) -> Void,
            failed: @escaping @Sendable () -> Void
        ) {
            self.received = received
            self.failed = failed
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.received(InotifyEvent.decode(Array(self.unwrapInboundIn(data).readableBytesView)))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.failed()
            context.close(promise: nil)
        }
    }
}
