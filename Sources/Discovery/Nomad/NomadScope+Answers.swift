// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

extension NomadScope {
    // MARK: - The stream

    mutating func streamOpened(_ context: inout NomadContext) {
        self.stream.opened(at: context.effects.now)
        context.effects.note(.streamOpened)
        self.names.streamOpened()
        self.readEverything(at: context.effects.now)
        self.hurry(at: context.effects.now)
    }

    mutating func streamEnded(_ failure: NomadFailure?, _ context: inout NomadContext) {
        let wasRefused = self.stream.isRefused
        let wasOpen = self.stream.isOpen
        self.stream.ended(failure, &context.effects)
        if self.stream.isRefused {
            if !wasRefused { context.effects.note(.streamRefused(failure?.text ?? "")) }
        } else {
            context.effects.note(.streamEnded(failure?.text ?? "the server ended it"))
        }
        if self.stream.isMute { self.probe(&context) }
        if wasOpen, failure?.isOfLine == true { self.skipLine(at: context.effects.now) }
    }

    private mutating func skipLine(at now: Duration) {
        let underWay = self.tables.filter { self.listings[$0]?.request != nil }
        // What fails may do so for long.
        let all = self.tables.filter { self.listings[$0]?.failure == nil }
        guard self.stream.skip(underWay: Set(underWay), all: Set(all)) else { return }
        for table in all where !underWay.contains(table) { self.listings[table]?.want(notBefore: now) }
    }

    private mutating func listed(_ table: NomadTable) {
        self.stream.listed(table, index: self.listings.values.map(\.knownIndex).max() ?? 0)
    }

    /// Does nothing answer, or are streams alone not let through? Watches may wait for minutes, and what they are answered says
    /// nothing of now.
    private mutating func probe(_ context: inout NomadContext) {
        guard !self.isProbing else { return }
        self.isProbing = true
        let question = NomadQuestion.watch(
            .deployments,
            namespace: self.namespace,
            index: nil,
            wait: nil,
            deadline: NomadSubscription.deadline
        )
        _ = context.effects.send(question, for: .probe(scope: self.number))
    }

    mutating func probed(_ result: Result<NomadAnswer, NomadFailure>) {
        self.isProbing = false
        if case .success = result { self.stream.answeredElsewhere() }
    }

    mutating func heard(_ line: NomadEvents, _ context: inout NomadContext) {
        self.stream.heard(index: line.index)
        if !line.unreadable.isEmpty {
            context.effects.note(.unreadable(count: line.unreadable.count, first: line.unreadable.reasons.first ?? ""))
            self.missedSomething(at: context.effects.now)
        }
        // What allocations are judged by comes first.
        for event in line.events {
            if let table = NomadTable(event.payload) { self.listings[table]?.heard(index: event.index) }
            switch event.payload {
            case .deployment(let row): context.tables.apply(row, as: .event)
            case .node(let row):
                if event.type == "NodeDeregistration" {
                    context.tables.removeNode(row.id, at: event.index)
                } else {
                    context.tables.apply(row, as: .event)
                }
            default: break
            }
        }
        let floor = self.listings[.services]?.appliedIndex ?? 0
        for event in line.events {
            switch event.payload {
            case .allocation(let row): context.tables.apply(row, as: .event)
            case .service(let row):
                if event.type == "ServiceDeregistration" {
                    context.services.deregistered(row, index: event.index, floor: floor)
                } else {
                    context.services.registered(row, index: event.index, floor: floor)
                }
                self.names.heard(index: event.index)
            default: break
            }
        }
    }

    private mutating func missedSomething(at now: Duration) {
        for table in self.tables { self.listings[table]?.want(notBefore: now + .seconds(1)) }
        self.names.doubt()
    }

    /// The server answers: what waits because it did not is worth another attempt.
    private mutating func hurry(at now: Duration) {
        for table in self.tables {
            self.watches[table]?.hurry(at: now)
            if let listing = self.listings[table], listing.failure != nil {
                self.listings[table]?.want(notBefore: now, hurry: true)
            }
        }
        if !self.stream.isOpen { self.stream.hurry(at: now) }
    }

    // MARK: - Answers

    mutating func answered(_ table: NomadTable, _ answer: NomadAnswer, _ context: inout NomadContext) {
        guard var listing = self.listings[table] else { return }
        let wasFailing = listing.failure != nil
        let index = answer.index ?? 0
        if table == .services, index == 0, case .names(let names) = answer.content, names.isEmpty,
            self.namespace == NomadConfiguration.allNamespaces
        {
            self.names.isBlind = true
            self.failed(table, .blind, &context)
            return
        }
        if !answer.unreadable.isEmpty {
            context.effects.note(
                .unreadable(count: answer.unreadable.count, first: answer.unreadable.reasons.first ?? "")
            )
        }
        if let failure = listing.endlessness(table, next: answer.nextToken, rows: answer.rowCount) {
            self.failed(table, failure, &context)
            return
        }
        let progress = listing.answered(
            index: index,
            next: answer.nextToken,
            unreadable: answer.unreadable.reasons.first,
            at: context.effects.now
        )
        switch progress {
        case .doubtful: context.effects.note(.indexDoubted)
        case .fell:
            context.effects.note(.indexFell)
            self.listings[table] = listing
            self.forgetIndexes(&context)
            return
        case .partial:
            self.use(answer.content, &listing, &context)
            let question = NomadQuestion.page(table, namespace: self.namespace, token: listing.token)
            listing.sentNext(context.effects.send(question, for: .page(scope: self.number, table)))
        case .complete(let index):
            self.use(answer.content, &listing, &context)
            // A row that could not be read is no row that is gone.
            if listing.rowsFailure == nil {
                context.tables.remove(table, butFor: listing.seen, in: self.namespace, asOf: index)
            }
            listing.seen = []
        }
        let lists = listing.lists
        if case .complete = progress { listing.lists = [] }
        self.listings[table] = listing
        if case .complete = progress { self.listed(table) }
        if wasFailing, listing.failure == nil {
            self.hurry(at: context.effects.now)
            // Services may have been told without the names of their nodes.
            if table == .nodes { context.services.touchAll() }
        }
        if case .complete(let index) = progress, table == .services {
            // One that was asked for before the stream opened is wanted again.
            self.verify(lists, index: index, isSinceOpen: !listing.isWanted, &context)
        }
    }

    /// The server counts anew. The index of another table may be what it was before by chance only.
    private mutating func forgetIndexes(_ context: inout NomadContext) {
        for table in self.tables {
            context.tables.forgetIndexes(of: table)
            self.listings[table]?.forgetIndexes(at: context.effects.now)
        }
        context.services.forgetIndexes(in: self.namespace)
        self.names.forgetIndexes(&context.effects)
        self.stream.forgetIndex()
    }

    private func use(_ content: NomadAnswer.Content, _ listing: inout NomadListing, _ context: inout NomadContext) {
        let shape = NomadTables.Shape.list(asOf: listing.firstIndex ?? 0)
        switch content {
        case .allocations(let rows):
            for row in rows {
                context.tables.apply(row, as: shape)
                if let id = TaskRegistrationID.uuid(row.id.utf8) { listing.seen.insert(id) }
            }
        case .deployments(let rows):
            for row in rows {
                context.tables.apply(row, as: shape)
                listing.seen.insert(row.id)
            }
        case .nodes(let rows):
            for row in rows {
                context.tables.apply(row, as: shape)
                listing.seen.insert(row.id)
            }
        case .names(let lists): listing.lists += lists
        case .registrations, .checks, .nothing: break
        }
    }

    mutating func failed(_ table: NomadTable, _ failure: NomadFailure, _ context: inout NomadContext) {
        self.listings[table]?.failed(failure, &context.effects)
        self.listed(table)
    }

    mutating func watchAnswered(_ table: NomadTable, _ answer: NomadAnswer, _ context: inout NomadContext) {
        let wasFailing = self.watches[table]?.failure != nil
        let known = self.listings[table]?.knownIndex ?? 0
        let isStreaming = self.stream.isOpen
        self.watches[table]?.answered(answer, known: known, isStreaming: isStreaming, &context.effects)
        if wasFailing { self.hurry(at: context.effects.now) }
    }

    mutating func watchFailed(_ table: NomadTable, _ failure: NomadFailure, _ context: inout NomadContext) {
        self.watches[table]?.failed(failure, &context.effects)
    }
}

extension NomadTable {
    fileprivate init?(_ payload: NomadEvent.Payload) {
        switch payload {
        case .allocation: self = .allocations
        case .deployment: self = .deployments
        case .node: self = .nodes
        case .service: self = .services
        case .other: return nil
        }
    }
}
