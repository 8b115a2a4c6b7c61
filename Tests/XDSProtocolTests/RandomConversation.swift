// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import XDSProtocol

/// A random conversation between a proxy and a machine, from a seed, and the check of what it must end in: when nothing is
/// on its way any more, the proxy holds the snapshot.
struct RandomConversation {
    /// What went wrong, or nil.
    private(set) var failure: String?
    private var generator: SeededGenerator
    private var envoy: FakeEnvoy
    private var mayOverlap = false
    private var generation: UInt64 = 1
    private var contents: [TypeURL: [ResourceName: Resource]] = [:]
    private var names: [TypeURL: Set<ResourceName>] = [:]
    private var asked: Set<TypeURL> = []
    /// Versions that the proxy refuses.
    private var bad: Set<ResourceVersion> = []
    private let tellsCulprit: Bool
    /// Whether it takes the rest of a response with a bad cluster or listener, as Envoy does.
    private let keepsTheRest: Bool

    static let types: [TypeURL] = [.cluster, .endpoints, .listener, .routeConfiguration]
    static let universe: [ResourceName] = ["a", "b", "c", "d"]
    /// Made once: hashing is most of the cost of a conversation.
    static let pool: [TypeURL: [ResourceName: [Resource]]] = Dictionary(
        uniqueKeysWithValues: types.map { type in
            let byName = universe.map { name in (name, (0..<4).map { Resource(type, name.rawValue, "content \($0)") }) }
            return (type, Dictionary(uniqueKeysWithValues: byName))
        }
    )

    /// What happened, a line each, if it was asked for.
    private(set) var trace: [String] = []
    private let isTraced: Bool

    init(_ variant: StreamStateMachine.Variant, seed: UInt64, steps: Int, isTraced: Bool = false) {
        self.isTraced = isTraced
        self.generator = SeededGenerator(seed: seed)
        self.envoy = FakeEnvoy(variant)
        self.tellsCulprit = Bool.random(using: &self.generator)
        self.keepsTheRest = Bool.random(using: &self.generator)
        // Some versions are bad for the whole conversation.
        for type in Self.types {
            for name in Self.universe where Int.random(in: 0..<4, using: &self.generator) == 0 {
                if let resource = Self.pool[type]?[name]?[3] { self.bad.insert(resource.version) }
            }
        }
        for _ in 0..<steps where self.failure == nil { self.step() }
        if self.failure == nil { self.finish() }
    }

    private mutating func step() {
        switch Int.random(in: 0..<20, using: &self.generator) {
        case 0..<6: self.change()
        case 6..<10: self.subscribe()
        case 10..<17: self.answer()
        case 17:
            let isNACK = Bool.random(using: &self.generator)
            let type = self.anyType()
            if self.asked.contains(type) {
                self.envoy.answerStale(type, nonce: "stale", error: isNACK ? "stale" : nil)
            }
        case 18: self.passDeadlines()
        default: self.reconnect()
        }
        self.note { conversation in
            "  on its way: \(conversation.envoy.unanswered.map { "\($0.type) \($0.nonce) \($0.resources)" })"
        }
        self.checkInFlight()
    }

    private mutating func note(_ event: (RandomConversation) -> String) {
        if self.isTraced { self.trace.append(event(self)) }
    }

    private mutating func anyType() -> TypeURL {
        Self.types[Int.random(in: 0..<Self.types.count, using: &self.generator)]
    }

    private mutating func anyName() -> ResourceName {
        Self.universe[Int.random(in: 0..<Self.universe.count, using: &self.generator)]
    }

    /// The world changes, by some resources at once.
    private mutating func change() {
        var changes = ChangeSet()
        for _ in 0..<Int.random(in: 1...4, using: &self.generator) {
            let (type, name) = (self.anyType(), self.anyName())
            let choice = Int.random(in: 0..<5, using: &self.generator)
            let resource = choice == 4 ? nil : Self.pool[type]?[name]?[choice]
            self.contents[type, default: [:]][name] = resource
            changes.names[type, default: []].insert(name)
        }
        self.generation += 1
        let isKnown = Int.random(in: 0..<4, using: &self.generator) != 0
        self.note { "world \($0.generation): \($0.contents) changed \(changes.names) known \(isKnown)" }
        self.envoy.publish(self.snapshot, changes: isKnown ? changes : nil)
    }

    private var snapshot: Snapshot {
        var snapshot = Snapshot(generation: self.generation)
        for (type, resources) in self.contents {
            snapshot.resources[type] = Snapshot.Resources(uniqueKeysWithValues: resources.map { ($0.key, $0.value) })
        }
        return snapshot
    }

    private mutating func subscribe() {
        let type = self.anyType()
        if type.isRoot {
            // As Envoy does: everything, once.
            if !self.asked.contains(type) {
                self.note { _ in "subscribe \(type)" }
                self.envoy.subscribe(type)
            }
        } else if Bool.random(using: &self.generator) || !self.asked.contains(type) {
            let name = self.anyName()
            self.names[type, default: []].insert(name)
            self.note { _ in "subscribe \(type) \(name)" }
            self.envoy.subscribe(type, name)
        } else if let name = self.names[type]?.sorted().randomElement(using: &self.generator) {
            self.names[type]?.remove(name)
            self.note { _ in "unsubscribe \(type) \(name)" }
            self.envoy.unsubscribe(type, name)
        }
        self.asked.insert(type)
    }

    private mutating func answer() {
        guard let response = self.envoy.unanswered.randomElement(using: &self.generator) else { return }
        self.answer(response)
    }

    private mutating func answer(_ response: Response) {
        self.note { _ in "answer \(response.type) \(response.nonce): \(response.resources) - \(response.removals)" }
        let culprits = response.resources.filter { self.bad.contains($0.version) }
        if let culprit = culprits.min(by: { $0.name < $1.name }) {
            let bad = self.bad
            self.envoy.nack(
                response.type,
                self.tellsCulprit ? "bad: \(culprit.name)" : "something is bad",
                keeping: self.keepsTheRest && response.type.isRoot ? { !bad.contains($0.version) } : nil
            )
        } else {
            self.envoy.ack(response.type)
        }
    }

    private mutating func reconnect() {
        guard !self.looksCurrentAndIsNot, !self.cannotBeHelped else { return }
        self.generation += 1
        self.note { "reconnect, holding \($0.envoy.holds)" }
        let comesLater = Bool.random(using: &self.generator)
        self.envoy.reconnect(to: comesLater ? nil : self.snapshot)
        if comesLater { self.envoy.publish(self.snapshot) }
    }

    /// A state-of-the-world client that dropped a name, asked for it again and lost the stream before the answer names a
    /// version that it does not hold any more: the protocol leaves a server no way to tell. (On delta there is one.)
    private var looksCurrentAndIsNot: Bool {
        self.envoy.machine.variant == .sotw
            && self.names.contains { type, names in
                names.contains { self.envoy.holds[type]?[$0] == nil && self.contents[type]?[$0] != nil }
            }
    }

    /// A state-of-the-world client that takes nothing of a response with a bad cluster in it, and reconnects: what it holds
    /// of that cluster is not known, and to find out who is bad by leaving resources out could remove what it holds.
    private var cannotBeHelped: Bool {
        self.envoy.machine.variant == .sotw && !self.keepsTheRest
            && Self.types.contains { type in
                type.isRoot && (self.contents[type] ?? [:]).values.contains { self.bad.contains($0.version) }
            }
    }

    private mutating func passDeadlines() {
        if !self.envoy.unanswered.isEmpty { self.mayOverlap = true }
        self.envoy.passDeadlines()
    }

    private mutating func checkInFlight() {
        let types = self.envoy.unanswered.map(\.type)
        if types.isEmpty { self.mayOverlap = false }
        // What is asked for is answered after a while, whatever is not.
        if self.mayOverlap { return }
        if Set(types).count != types.count { self.failure = "two un-ACKed responses of a type: \(types)" }
    }

    /// Lets everything settle and compares.
    private mutating func finish() {
        self.generation += 1
        self.envoy.publish(self.snapshot)
        var rounds = 0
        repeat {
            while let response = self.envoy.unanswered.first {
                rounds += 1
                guard rounds < 500 else {
                    self.failure = "does not come to rest: \(response)"
                    return
                }
                self.answer(response)
                self.checkInFlight()
                if self.failure != nil { return }
            }
            self.passDeadlines()
        } while !self.envoy.unanswered.isEmpty
        for type in Self.types where self.failure == nil && self.asked.contains(type) { self.compare(type) }
    }

    private mutating func compare(_ type: TypeURL) {
        let names = type.isRoot ? Set(Self.universe) : self.names[type] ?? []
        // While a referring type has a refused version, what it may refer to is not removed.
        let isRemovalHeld = [TypeURL.listener, .routeConfiguration].contains { referring in
            (self.contents[referring] ?? [:]).values.contains { self.bad.contains($0.version) }
        }
        for name in names {
            let held = self.envoy.holds[type]?[name]
            guard let wanted = self.contents[type]?[name] else {
                let mayStay = isRemovalHeld || (self.envoy.machine.variant == .sotw && !type.isRoot)
                if held != nil, !mayStay { self.failure = "\(type) \(name) is held and gone" }
                continue
            }
            if self.bad.contains(wanted.version) {
                if held == wanted.version { self.failure = "\(type) \(name) is held and bad" }
            } else if held != wanted.version {
                self.failure = "\(type) \(name): holds \(held.map(\.description) ?? "nothing"), wanted \(wanted)"
            }
        }
    }
}
