// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import TestSupport
import Testing

@testable import Discovery

@Suite("NomadFollower: any order of events", .longComputation)
struct NomadFollowerPropertyTests {
    @Test("whatever is late, lost or restarted, in the end it tells what is there", arguments: 0..<60)
    func converges(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var rig = NomadRig(NomadConfiguration(wait: .seconds(20)), seed: seed)
        rig.server.buffer = 4
        rig.server.pageSize = Int.random(in: 1...5, using: &random)
        rig.start()
        for _ in 0..<600 { try Self.step(&rig, using: &random) }
        // What is collected in silence is only found when everything is read again.
        try rig.flow(for: .seconds(400))
        Self.check(rig, "after \(seed)")
        // Every change that comes undisturbed is told as it comes.
        for _ in 0..<20 {
            Self.change(&rig.server, using: &random, mayBeSilent: false)
            try rig.flow()
            Self.check(rig, "at once, after \(seed)")
        }
    }

    /// Seeds that found something once, and more.
    private static let seeds: [UInt64] = [1096, 6191, 8167, 11017, 30116, 30161, 34444, 38313] + Array(0..<300)

    @Test("whatever overtakes what, nothing that Nomad told is lost", arguments: Self.seeds)
    func losesNothing(seed: UInt64) throws {
        var random = SeededGenerator(seed: 1000 + seed)
        var rig = NomadRig(NomadConfiguration(wait: .seconds(20)), seed: seed)
        rig.server.pageSize = Int.random(in: 1...5, using: &random)
        for _ in 0..<5 { Self.change(&rig.server, using: &random, mayBeSilent: false) }
        // What happened before the stream opens is not told by it.
        rig.server.restart()
        rig.start()
        for _ in 0..<Int.random(in: 50...300, using: &random) {
            try Self.step(&rig, using: &random, mayBeSilent: false)
            // What is due was done: a deadline that is over would wake it at once, again and again.
            if let deadline = rig.follower.nextDeadline { #expect(deadline > rig.follower.now, "\(seed)") }
        }
        // Long before everything is read again for no reason.
        try rig.flow(for: .seconds(60))
        Self.check(rig, "after \(seed)")
    }

    private static func check(_ rig: NomadRig, _ comment: Comment) {
        let expected = Dictionary(grouping: rig.server.registrations.values, by: \.service)
        let told = rig.services.map { ($0.key.rawValue, $0.value.instances.map(\.port).sorted()) }
        #expect(
            Dictionary(uniqueKeysWithValues: told)
                == expected.mapValues { $0.map { UInt16(1000 + $0.allocation) }.sorted() },
            comment
        )
        for registration in rig.server.registrations.values {
            let service = rig.services[ServiceName(registration.service)]
            let instance = service?.instances.first { $0.id.rawValue == registration.id }
            #expect(instance?.tags == Set(registration.tags), comment)
        }
        for (number, allocation) in rig.server.allocations {
            let fact = rig.facts[Sample.allocationID(number)]
            #expect(fact?.desired.rawValue == allocation.desired, comment)
            #expect(fact?.client.rawValue == allocation.client, comment)
            let isPromoted = allocation.deployment.flatMap { rig.server.deployments[$0]?.isPromoted } ?? false
            #expect(fact?.isCanary == (allocation.isCanary && !isPromoted), comment)
        }
        let named = Set(rig.server.allocations.keys.map { Sample.allocationID($0) })
        #expect(Set(rig.facts.keys) == named, comment)
        #expect(rig.status?.state == .up, comment)
    }

    private static func step(
        _ rig: inout NomadRig,
        using random: inout SeededGenerator,
        mayBeSilent: Bool = true
    ) throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0...3: Self.change(&rig.server, using: &random, mayBeSilent: mayBeSilent)
        case 4: rig.publish()
        case 5...8:
            rig.publish()
            for id in rig.streams.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                if Int.random(in: 0..<3, using: &random) == 0 { rig.open(id) }
                try rig.hear(id)
            }
        case 9...12:
            if let place = rig.questions.indices.randomElement(using: &random) { rig.process(place) }
        case 13...15:
            if let place = rig.answers.indices.randomElement(using: &random) { rig.arrive(place) }
        case 16:
            if let place = rig.questions.indices.randomElement(using: &random) { rig.fail(place) }
        case 17:
            guard Int.random(in: 0..<4, using: &random) == 0, let id = rig.streams.keys.randomElement(using: &random)
            else { return }
            if Bool.random(using: &random) { rig.server.restart() }
            if mayBeSilent, Int.random(in: 0..<6, using: &random) == 0 { rig.server.wipe() }
            rig.end(id, Bool.random(using: &random) ? nil : NomadFailure(APIError(.unreachable, "cut")))
        default:
            rig.now += .milliseconds(Int.random(in: 1...400, using: &random))
            rig.perform(rig.follower.advance(to: rig.now))
        }
    }

    private static func change(_ server: inout FakeNomad, using random: inout SeededGenerator, mayBeSilent: Bool) {
        let number = Int.random(in: 1...6, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1:
            let service = ["web", "api", "db"].randomElement(using: &random) ?? "web"
            let tags = Bool.random(using: &random) ? ["v\(Int.random(in: 1...3, using: &random))"] : []
            server.register(.init(service: service, namespace: "default", allocation: number, tags: tags))
        case 2:
            if let id = server.registrations.keys.sorted().randomElement(using: &random) { server.deregister(id) }
        case 3, 4:
            let version = UInt64.random(in: 1...3, using: &random)
            // Who has a deployment has it from its version, as in Nomad.
            let deployment = "d\(version)"
            server.set(
                number,
                .init(
                    version: version,
                    deployment: deployment,
                    isCanary: Bool.random(using: &random),
                    desired: ["run", "stop", "evict"].randomElement(using: &random) ?? "run",
                    client: ["running", "complete", "failed", "lost"].randomElement(using: &random) ?? "running"
                )
            )
            if server.deployments[deployment] == nil { server.set(deployment, .init(version: version)) }
        default:
            if mayBeSilent, Int.random(in: 0..<4, using: &random) == 0 { return server.collect(number) }
            let version = UInt64.random(in: 1...3, using: &random)
            let isPromoted = server.deployments["d\(version)"]?.isPromoted ?? false
            server.set("d\(version)", .init(version: version, isPromoted: isPromoted || Bool.random(using: &random)))
        }
    }
}
