// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

/// Everything that one stream remembers of one type. Four things are kept apart: what is *wanted* (the snapshot, not
/// here), what is *held*, as far as the client acknowledged it, what is *in flight* and what was *rejected*.
///
/// `dirty` and `owed` say where to look, so that a change costs what it touches and not what the stream holds.
struct TypeState: Sendable {
    typealias Held = HeldResources.Held

    /// The content of a response.
    struct Next: Sendable {
        var upserts: [Resource] = []
        /// Delta only.
        var removals: [ResourceName] = []
        /// Delta only: names that lead to no resource, said without unsubscribing the client (virtual hosts).
        var unknown: [ResourceName] = []
        /// Delta only: under which other names an upsert was asked for.
        var aliases: [ResourceName: [ResourceName]] = [:]
        /// Delta only: resources that are still there, so that their time begins anew.
        var heartbeats: [Resource] = []
        /// SotW root types: the response is the whole truth.
        var isWhole = false
        /// The suspects that it carries, and nothing else that is new: a NACK is of them. Empty: nothing is new.
        var trial: Set<ResourceName>?

        var isEmpty: Bool {
            self.upserts.isEmpty && self.removals.isEmpty && self.unknown.isEmpty && self.heartbeats.isEmpty
        }
    }

    struct InFlight: Sendable {
        var nonce: Nonce
        var content: Next
        /// Whether something was asked for since, which waits for the answer to this.
        var isAskedBeside = false
        /// Whether some of it may have been given up since.
        var isNarrowed = false
        /// The snapshot that all of it is from; nil if some of it may not be from any, or nobody looked.
        var generation: UInt64?
    }

    let type: TypeURL
    var subscription = Subscription()
    var held = HeldResources()
    var inFlight: InFlight?
    /// What is in flight was not answered for so long that others do not wait for it any more.
    var isOverdue = false
    /// SotW: whether `held` is all that the client holds. Not when it reconnects with a version that is not the current
    /// one: then it holds nobody knows what, until it accepts something.
    var knowsWhatIsHeld = true
    var suspects = Suspects()
    /// SotW root types only.
    var refusedRemovals = RefusedRemovals()
    /// SotW root types: how often which content was refused since the type changed, by its `version_info`.
    var refusals: [String: Int] = [:]
    /// Names to compare with the snapshot at the next opportunity.
    var dirty: Set<ResourceName> = []
    /// Names that are gone from the snapshot and held by the client: to be removed when nothing refers to them any more.
    var doomed: Set<ResourceName> = []
    /// Names that the client asked for: answered even if nothing changed (rule 3).
    var owed: Set<ResourceName> = []
    /// Those of `owed` that the client did not ask for: it is not given again what it refused.
    var debts: Set<ResourceName> = []
    /// The subscription as a whole is to be answered, also with nothing.
    var owesAnswer = false
    /// Virtual hosts: the first request named nothing and waits for an answer all the same (rule 9).
    var owesPlaceholder = false
    /// Virtual hosts: names that were asked for, and the resource that serves each and was refused: who waits is told when
    /// that is sent after all.
    var waiting: [ResourceName: ResourceName] = [:]
    /// Virtual hosts: the names with a port that were asked for, by the host that serves each.
    var ported: [ResourceName: Set<ResourceName>] = [:]
    /// What the client holds that expires unless it hears of it again.
    var expiring: Set<ResourceName> = []
    /// It is time to tell the client of `expiring`.
    var owesHeartbeat = false
    /// Names beyond the limit that lead nowhere: answered and not remembered.
    var namesDropped = 0
    /// How many names count towards the stream's limit: those of the subscription after the last request.
    var namesCounted = 0
    /// SotW, first request: the `version_info` that the client came with, until there is a snapshot to compare it with.
    var claimedVersion: String?
    var responsesSent = 0
    var resourcesSent = 0

    init(type: TypeURL) {
        self.type = type
    }

    /// Whether a wildcard client is not to hold this resource, because it did not ask for it by name.
    func hides(_ resource: Resource?) -> Bool {
        guard let resource, resource.isOnDemand else { return false }
        return !self.subscription.names.contains(resource.name)
    }

    /// Names that the client asks for now and did not before: it holds nothing of them, unless it asked for everything.
    mutating func introduce(_ names: Set<ResourceName>, wasWildcard: Bool, _ snapshot: Snapshot?) {
        if self.held.isEmpty { return }
        let resources = snapshot?[self.type] ?? [:]
        for name in names where !wasWildcard || resources[name]?.isOnDemand == true {
            self.held.introduce(name)
        }
    }

    /// The client asked for these. A set that many streams share stays shared.
    mutating func owe(_ names: Set<ResourceName>) {
        if self.owed.isEmpty { self.owed = names } else { self.owed.formUnion(names) }
        if !self.debts.isEmpty { self.debts.subtract(names) }
    }

    /// The client is to be told, though it did not ask.
    mutating func promise(_ name: ResourceName) {
        if self.owed.insert(name).inserted { self.debts.insert(name) }
    }

    mutating func forgetOwed() {
        self.owed = []
        self.debts = []
    }

    /// What there is to send under a name that is owed: who asks is given what there is, and who did not ask has the last
    /// good version of what it refused.
    func answer(_ name: ResourceName, with resource: Resource) -> Resource? {
        guard self.debts.contains(name), self.suspects.excludes(resource) else { return resource }
        return self.lastGood(of: resource)
    }

    /// Nil if nobody knows, or if that was refused too.
    private func lastGood(of resource: Resource) -> Resource? {
        guard let held = self.held[resource.name]?.resource, held.version != resource.version else { return nil }
        return held
    }

    /// Whether the client can be told of it without being asked to take what it refused.
    func canRepeat(_ resource: Resource) -> Bool {
        !self.suspects.excludes(resource) || self.lastGood(of: resource) != nil
    }

    /// The snapshot is another one, or the first.
    /// - Parameter changed: the names that may differ from the snapshot before; nil: look at everything.
    mutating func move(to snapshot: Snapshot, changed: Set<ResourceName>?) {
        let resources = snapshot[self.type]
        let subscription = self.subscription
        let hadBase = self.held.hasBase
        let moved = self.held.move(to: resources, changed: changed) { resource in
            subscription.names.contains(resource.name) || (subscription.isWildcard && !resource.isOnDemand)
        }
        if changed.map({ !$0.isEmpty }) ?? (!moved.isEmpty || !self.held.hasBase) {
            self.suspects.renew(retries: true)
            self.refusals = [:]
            self.refusedRemovals.typeChanged()
        }
        if self.type == .virtualHost {
            if changed == nil, !hadBase { self.cameBack(in: resources) }
            self.resolveAnew(changed.map(Array.init) ?? moved, in: resources)
        }
        guard let changed else {
            self.markAll(in: resources)
            return
        }
        if subscription.isWildcard {
            self.dirty.formUnion(changed)
        } else if changed.count < subscription.names.count {
            for name in changed where subscription.names.contains(name) { self.dirty.insert(name) }
        } else {
            for name in subscription.names where changed.contains(name) { self.dirty.insert(name) }
        }
    }

    /// Looks again at everything.
    mutating func markAll(in resources: Snapshot.Resources) {
        if self.subscription.isWildcard {
            self.dirty.reserveCapacity(resources.count)
            self.dirty.formUnion(resources.keys)
        }
        self.dirty.formUnion(self.subscription.names)
        self.dirty.formUnion(self.held.exceptions.keys)
        self.dirty.formUnion(self.suspects.names)
        // What is on its way will be held when it is ACKed, and may be gone by then.
        if let flight = self.inFlight { self.dirty.formUnion(flight.content.upserts.map(\.name)) }
    }

    /// Forgets what the client does not want any more.
    mutating func forget(_ names: some Sequence<ResourceName>) {
        for name in names {
            self.inFlight?.isNarrowed = true
            self.held.forget(name)
            self.dirty.remove(name)
            self.doomed.remove(name)
            self.owed.remove(name)
            self.debts.remove(name)
            self.waiting[name] = nil
            self.forgetPort(of: name)
            self.expiring.remove(name)
            self.suspects.forget(name)
            self.refusedRemovals.forget(name)
        }
    }

    /// The wildcard is gone: only what was asked for by name counts from now on.
    mutating func forgetUnnamed() {
        self.inFlight?.isNarrowed = true
        let names = self.subscription.names
        self.held.restrict(to: names)
        self.dirty.formIntersection(names)
        self.doomed.formIntersection(names)
        self.expiring.formIntersection(names)
        for name in self.suspects.names where !names.contains(name) { self.suspects.forget(name) }
        for name in self.refusedRemovals.names where !names.contains(name) { self.refusedRemovals.forget(name) }
    }

    /// Everything is covered from now on: what was not asked for by name before is not held.
    mutating func wildcardBegan(isFirst: Bool, _ snapshot: Snapshot?) {
        guard let snapshot else { return }
        let resources = snapshot[self.type]
        if !isFirst {
            for name in resources.keys where !self.subscription.names.contains(name) { self.held.introduce(name) }
        }
        self.markAll(in: resources)
    }

    /// Whether a response that is made now has nothing but what the snapshot has.
    var hasNoStandIns: Bool { self.suspects.isEmpty && self.held.exceptions.isEmpty }

    /// Something to send, or something sent and not answered.
    var isBusy: Bool { self.inFlight != nil || self.hasWork || self.suspects.haveTrials }

    var hasWork: Bool {
        self.owesAnswer || self.owesPlaceholder || !self.owed.isEmpty || !self.dirty.isEmpty
    }

    /// Whether `next` can have anything to say: a cheap look before.
    var mayRespond: Bool {
        self.inFlight == nil
            && (self.hasWork || !self.doomed.isEmpty || !self.suspects.isEmpty || self.owesHeartbeat
                || self.claimedVersion != nil)
    }
}
