// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Catalog

/// Random updates, and what must hold whatever they are.
@Suite(.longComputation)
struct GuardPropertyTests {
    private static let rounds = 100
    private static let steps = 60

    /// A source of a few services that changes a little mostly, and sometimes loses or regains much.
    private struct RandomSource {
        var random: SeededGenerator
        var source = SourceName.consul
        var prefix = ""
        /// Whether instances move, and are where others were.
        var areMoving = true
        var services: [ServiceName: [InstanceID: Instance]] = [:]

        private mutating func chance(_ percent: Int) -> Bool {
            Int.random(in: 0..<100, using: &self.random) < percent
        }

        private mutating func anInstance(_ name: ServiceName, _ number: Int) -> Instance {
            // Mostly a place of its own.
            let place =
                !self.areMoving || self.chance(90)
                ? "\(name.rawValue.utf8.last ?? 0).\(number)" : "0.\(Int.random(in: 1..<4, using: &self.random))"
            var one = instance("i\(number)", at: "10.0.\(place)")
            if self.chance(15) { one.health = .critical }
            if self.chance(5) { one.weight = Weight(0) ?? .default }
            if self.chance(8) { one.isDraining = true }
            if self.chance(20) { one.tags = ["t\(Int.random(in: 0..<3, using: &self.random))"] }
            return one
        }

        mutating func next() -> CatalogUpdate {
            let isComplete = self.chance(20)
            let loss = self.chance(25) ? Int.random(in: 30...100, using: &self.random) : 5
            let isCritical = self.chance(30)
            var touched: Set<ServiceName> = []
            for name in (0..<8).map({ ServiceName("\(self.prefix)s\($0)") }) where isComplete || self.chance(loss + 10)
            {
                touched.insert(name)
                if self.chance(loss / 2) {
                    self.services[name] = nil
                    continue
                }
                var instances = self.services[name] ?? [:]
                for number in 0..<6 {
                    let id = InstanceID("i\(number)")
                    if let present = instances[id] {
                        if self.chance(loss) {
                            instances[id] = nil
                            if isCritical {
                                instances[id] = self.chance(80) ? present : self.anInstance(name, number)
                                instances[id]?.health = .critical
                            }
                        } else if self.chance(10) {
                            instances[id] = self.anInstance(name, number)
                        }
                    } else if self.chance(50) {
                        instances[id] = self.anInstance(name, number)
                    }
                }
                self.services[name] = instances
            }
            let names = isComplete ? Set(self.services.keys) : touched
            return CatalogUpdate(
                source: self.source,
                isComplete: isComplete,
                services: Dictionary(
                    uniqueKeysWithValues: names.map { name in
                        (
                            name,
                            self.services[name].map { service(name.rawValue, Array($0.values), in: self.source) }
                        )
                    }
                )
            )
        }

        mutating func stopped() -> Set<NaiveGuard.Key> {
            guard self.chance(10) else { return [] }
            return Set(
                (0..<4).map { _ in
                    NaiveGuard.Key(
                        service: ServiceName("\(self.prefix)s\(Int.random(in: 0..<8, using: &self.random))"),
                        id: InstanceID("i\(Int.random(in: 0..<6, using: &self.random))")
                    )
                }
            )
        }
    }

    private static func rules(_ random: inout SeededGenerator) -> CatalogGuard.SourceRules {
        var rules = CatalogGuard.SourceRules()
        rules.fraction = [0, 25, 50, 50, 50, 100].randomElement(using: &random) ?? 50
        rules.serviceLimit = Int.random(in: 0...3, using: &random)
        rules.instanceLimit = Int.random(in: 0...8, using: &random)
        rules.window = .seconds(Int.random(in: 5...60, using: &random))
        rules.grace = .seconds(Int.random(in: 5...60, using: &random))
        rules.lastInstanceGrace = .seconds(Int.random(in: 0...60, using: &random))
        rules.holdsCritical = Bool.random(using: &random)
        return rules
    }

    private static func byService(_ keys: Set<NaiveGuard.Key>) -> [ServiceName: Set<InstanceID>] {
        Dictionary(grouping: keys, by: \.service).mapValues { Set($0.map(\.id)) }
    }

    @Test(arguments: 0..<UInt64(rounds))
    func `it does what the rules say, worked out from scratch`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let rules = Self.rules(&random)
        var source = RandomSource(random: SeededGenerator(seed: seed &+ 1_000_000))
        var naive = NaiveGuard(rules: rules)
        var guarded = CatalogGuard(CatalogGuard.Settings(rules: [.consul: rules]))
        var now = Duration.zero
        for step in 0..<Self.steps {
            now += .milliseconds(Int.random(in: 0...12_000, using: &random))
            let before = guarded.catalog
            let goneBefore = guarded.remembered
            let outcome: GuardOutcome
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                naive.accept()
                outcome = guarded.accept(.consul, at: now)
            case 1...5:
                naive.advance(to: now)
                outcome = guarded.advance(to: now)
            case 6:
                naive.advance(to: now)
                naive.isHeard.toggle()
                outcome = guarded.advance(to: now)
                guarded.apply(SourceStatus(source: .consul, state: naive.isHeard ? .up : .down), at: now)
            default:
                let update = source.next()
                let stopped = source.stopped()
                naive.apply(update, stopped: stopped, at: now)
                outcome = guarded.apply(update, stopped: Self.byService(stopped), at: now)
            }
            #expect(guarded.catalog.services.mapValues(\.instances) == naive.inForce, "step \(step)")
            let names = Set(before.services.keys).union(guarded.catalog.services.keys)
            let others = names.filter { before[$0] != guarded.catalog[$0] }
            #expect(outcome.changed == others.union(goneBefore.symmetricDifference(guarded.remembered)), "step \(step)")
            let gone = guarded.catalog.services.keys.filter {
                naive.said[$0] == nil && guarded.inForce[$0.rawValue] == []
            }
            #expect(guarded.remembered == Set(gone), "step \(step)")
            #expect(guarded.held.map(\.instances).reduce(0, +) == naive.missing.values.count(where: \.isHeld))
            // It may wake up for something that came back meanwhile, and never too late.
            if let deadline = naive.deadline {
                #expect(guarded.nextDeadline.map { $0 <= deadline } ?? false, "step \(step)")
            }
            if guarded.catalog.services.mapValues(\.instances) != naive.inForce { return }
        }
        guarded.apply(SourceStatus(source: .consul, state: .up), at: now)
        // Left alone, it comes to the last word of the source.
        while let deadline = guarded.nextDeadline { _ = guarded.advance(to: deadline) }
        #expect(guarded.held == [])
        #expect(
            guarded.catalog.services.filter { naive.said[$0.key] != nil }.mapValues(\.instances)
                == naive.said.mapValues(\.instances)
        )
        let remembered = guarded.catalog.services.filter { naive.said[$0.key] == nil }
        #expect(remembered.flatMap(\.value.instances) == [])
    }

    @Test(arguments: 0..<UInt64(rounds))
    func `within the window no more goes than the limits allow`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var rules = Self.rules(&random)
        if rules.fraction == 0 { rules.fraction = 50 }
        rules.grace = .seconds(100)
        rules.lastInstanceGrace = .zero
        var source = RandomSource(random: SeededGenerator(seed: seed &+ 2_000_000), areMoving: false)
        var guarded = CatalogGuard(CatalogGuard.Settings(rules: [.consul: rules]))
        var now = Duration.zero
        var gone: [NaiveGuard.Key: Duration] = [:]
        func counting() -> Set<NaiveGuard.Key> {
            Set(NaiveGuard.instances(guarded.catalog.services).filter { $0.value.isGuarded }.keys)
        }
        for _ in 0..<Self.steps {
            now += .milliseconds(Int.random(in: 0...5000, using: &random))
            // By itself, so that what is released by time is not counted.
            _ = guarded.advance(to: now)
            let before = counting()
            let update = source.next()
            _ = guarded.apply(update, at: now)
            let after = counting()
            // What is said to drain or to weigh nothing was not taken away.
            let said = source.services
            func isAway(_ key: NaiveGuard.Key) -> Bool {
                said[key.service]?[key.id].map { $0.isMerelyCritical && rules.holdsCritical } ?? true
            }
            let wentNow = before.subtracting(after).filter(isAway)
            gone = gone.filter { !after.contains($0.key) && isAway($0.key) && $0.value > now - rules.window }
            guard !wentNow.isEmpty else { continue }
            for key in wentNow { gone[key] = now }
            #expect(
                gone.count <= rules.instanceLimit || gone.count * 100 <= rules.fraction * (after.count + gone.count)
            )
        }
    }

    @Test(arguments: 0..<UInt64(100))
    func `sources that have no service in common may speak in any order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let settings = CatalogGuard.Settings(
            rules: [.consul: Self.rules(&random), .nomad: Self.rules(&random)]
        )
        var consul = RandomSource(random: SeededGenerator(seed: seed &+ 3_000_000), prefix: "c-")
        var nomad = RandomSource(random: SeededGenerator(seed: seed &+ 4_000_000), source: .nomad, prefix: "n-")
        var first = CatalogGuard(settings)
        var second = CatalogGuard(settings)
        var now = Duration.zero
        for _ in 0..<Self.steps {
            now += .milliseconds(Int.random(in: 0...12_000, using: &random))
            let updates = [consul.next(), nomad.next()]
            for update in updates { _ = first.apply(update, at: now) }
            for update in updates.reversed() { _ = second.apply(update, at: now) }
            #expect(first.catalog == second.catalog)
            #expect(first.held == second.held)
            #expect(first.nextDeadline == second.nextDeadline)
        }
    }

    @Test(arguments: 0..<UInt64(rounds))
    func `of one name the sources may speak in any order, and before a restart`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let settings = CatalogGuard.Settings(
            rules: [.consul: Self.rules(&random), .nomad: Self.rules(&random)]
        )
        var consul = RandomSource(random: SeededGenerator(seed: seed &+ 5_000_000))
        var nomad = RandomSource(random: SeededGenerator(seed: seed &+ 6_000_000), source: .nomad)
        var first = CatalogGuard(settings)
        // What is told in part only is not stored.
        for source in [SourceName.consul, .nomad] { first.complete([], from: source, at: 0) }
        var second = first
        var now = Duration.zero
        for step in 0..<Self.steps {
            now += .milliseconds(Int.random(in: 0...12_000, using: &random))
            let updates = [consul.next(), nomad.next()]
            for update in updates { _ = first.apply(update, at: now) }
            for update in updates.reversed() { _ = second.apply(update, at: now) }
            #expect(first.inForce == second.inForce, "step \(step)")
            for name in Set(consul.services.keys).union(nomad.services.keys) {
                let isRoutable = [consul, nomad].contains { source in
                    source.services[name]?.values.contains(where: \.isRoutable) == true
                }
                if isRoutable { #expect(first.inForce[name.rawValue]?.isEmpty == false, "step \(step)") }
            }
            var restarted = CatalogGuard(settings)
            _ = restarted.seed(first.stored(wallClock: 0, at: now), wallClock: 0, at: .zero)
            let serving = first.inForce.filter { !$0.value.isEmpty }
            #expect(restarted.inForce.filter { !$0.value.isEmpty } == serving, "step \(step)")
        }
    }

    @Test func `an update costs what it changes`() {
        var guarded = CatalogGuard.consul()
        let all = fleet(0..<200, instances: 10)
        guarded.complete(all, at: 0)
        for round in 0..<20_000 {
            let one = all[round % 200]
            let changed = round % 400 < 200 ? one : service(one.name.rawValue, Array(one.instances.dropLast()))
            _ = guarded.apply(.changed([changed]), at: .milliseconds(round))
        }
        #expect(guarded.servingCount == 200)
    }
}
