// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// What the scopes of a follower share.
struct NomadContext: Sendable {
    let configuration: NomadConfiguration
    var effects: NomadEffects
    var tables = NomadTables()
    var services: NomadServiceTable

    init(_ configuration: NomadConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.effects = NomadEffects(seed: seed)
        self.services = NomadServiceTable(firstNamespace: configuration.firstNamespace)
    }
}

/// Follows one namespace, or all of them at once.
///
/// An event stream tells what changes. Everything is read whole when the stream opens, so that what happened meanwhile is
/// not missed, and now and then after that. Where there is no stream, blocking queries say when to read.
struct NomadScope: Sendable {
    /// Between two reads of everything that nothing asked for.
    private static let reconciliation = Duration.seconds(300)
    /// Between two reads because of events that were missed: a namespace's index is that of all.
    private static let missedInterval = Duration.seconds(10)

    let number: Int
    let namespace: String
    let tables: [NomadTable]
    var stream: NomadStreamLink
    var listings: [NomadTable: NomadListing] = [:]
    var watches: [NomadTable: NomadWatch] = [:]
    var names = NomadNames()
    var isProbing = false
    private var reconciledAt = Duration.zero
    private var missedAt: Duration?

    /// - Parameter hasNodes: nodes belong to no namespace: one scope follows them.
    init(number: Int, namespace: String, hasNodes: Bool) {
        self.number = number
        self.namespace = namespace
        self.tables = [.allocations, .deployments, .services] + (hasNodes ? [.nodes] : [])
        self.stream = NomadStreamLink(takesNodes: hasNodes)
        for table in self.tables { self.listings[table] = NomadListing() }
    }

    /// Nodes only lend their names: whatever they fail with, they hold up nothing.
    var areFactsHeard: Bool {
        self.tables.allSatisfy { table in
            let listing = self.listings[table]
            return table == .services || listing?.isHeard ?? false || (table == .nodes && listing?.failure != nil)
        }
    }

    var areServicesHeard: Bool { self.listings[.services]?.isHeard ?? false && self.names.areRead }

    /// Whether it is seen what becomes of its services, whatever else fails: those of one namespace, say.
    var isFollowed: Bool {
        guard self.areServicesHeard, !self.names.isBlind, self.listings[.services]?.failure == nil else { return false }
        return self.stream.isOpen || self.stream.isAnswered && self.watches[.services]?.failure == nil
    }

    // MARK: - Time

    mutating func advance(_ context: inout NomadContext) {
        let now = context.effects.now
        self.stream.advance(namespace: self.namespace, scope: self.number, &context.effects)
        if self.stream.isOpen, self.reconciledAt + Self.reconciliation <= now { self.readEverything(at: now) }
        self.advanceWatches(&context)
        for table in self.tables { self.advanceListing(table, &context) }
        while let key = self.names.next(at: now) {
            self.names.sent(key, context.effects.send(.service(key), for: .service(scope: self.number, key)))
        }
        if self.names.areSettled { context.services.settled(in: self.namespace) }
    }

    func nextDeadline(after now: Duration) -> Duration? {
        var deadlines: [Duration?] = [self.names.due]
        switch self.stream.state {
        case .closed: deadlines.append(self.stream.awaited.isEmpty ? self.stream.due : nil)
        case .connecting(_, let since):
            let start = since + NomadStreamLink.headStart
            if start > now { deadlines.append(start) }
        case .open: deadlines.append(self.reconciledAt + Self.reconciliation)
        }
        for (table, listing) in self.listings { deadlines.append(self.isReadable(table, at: now) ? listing.due : nil) }
        for (table, watch) in self.watches where self.isWatched(table) {
            if watch.request == nil { deadlines.append(watch.due) }
            if let ahead = watch.ahead {
                deadlines.append(ahead.since + (self.stream.isOpen ? NomadWatch.grace : .zero))
            }
        }
        return deadlines.compactMap(\.self).min()
    }

    /// What is read before the stream opens may be old when it does.
    private func isReadable(_ table: NomadTable, at now: Duration) -> Bool {
        !self.stream.isAboutToOpen(at: now) && !(table == .services && self.names.isVerifying)
    }

    private mutating func advanceListing(_ table: NomadTable, _ context: inout NomadContext) {
        guard self.isReadable(table, at: context.effects.now),
            self.listings[table]?.isDue(at: context.effects.now) ?? false
        else { return }
        let question = NomadQuestion.page(table, namespace: self.namespace, token: nil)
        self.listings[table]?.sent(context.effects.send(question, for: .page(scope: self.number, table)))
    }

    mutating func readEverything(at now: Duration) {
        self.reconciledAt = now
        for table in self.tables { self.listings[table]?.want(notBefore: now) }
    }

    /// Another token may see more, or less.
    mutating func askAnew(_ context: inout NomadContext) {
        self.stream.restart(&context.effects)
        for table in self.tables {
            self.watches[table]?.stop(&context.effects)
            self.watches[table] = nil
            self.listings[table]?.want(notBefore: context.effects.now, hurry: true)
        }
    }

    // MARK: - Watches

    /// With a stream, one is enough to see that it lives: next to nothing happens without allocations.
    private func isWatched(_ table: NomadTable) -> Bool {
        guard self.listings[table]?.isHeard ?? false else { return false }
        return table == .allocations || !self.stream.isOpen
    }

    private mutating func advanceWatches(_ context: inout NomadContext) {
        let now = context.effects.now
        for table in self.tables {
            guard self.isWatched(table) else {
                self.watches[table]?.stop(&context.effects)
                continue
            }
            var watch = self.watches[table] ?? NomadWatch(wait: context.configuration.wait, now: now)
            watch.advance(table, namespace: self.namespace, scope: self.number, &context.effects)
            if watch.isOverdue(at: now, isStreaming: self.stream.isOpen) {
                if watch.settle(known: self.listings[table]?.knownIndex ?? 0) { self.missed(table, &context) }
            }
            self.watches[table] = watch
        }
    }

    private mutating func missed(_ table: NomadTable, _ context: inout NomadContext) {
        let now = context.effects.now
        guard self.stream.isOpen else {
            let pause = table == .services ? self.names.pause : .zero
            self.listings[table]?.want(notBefore: now + pause)
            return
        }
        var time = now
        if let last = self.missedAt {
            // One that is yet to come is of what was missed now, too.
            time = last > now ? last : max(now, last + Self.missedInterval)
        }
        self.missedAt = time
        context.effects.note(.eventsMissed)
        for table in self.tables { self.listings[table]?.want(notBefore: time) }
    }
}
