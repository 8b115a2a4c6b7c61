// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import TestSupport
import Testing

@testable import Discovery

@Suite("NomadFollower")
struct NomadFollowerTests {
    @Test("services and facts are told once everything was read, with their names, tags and nodes")
    func first() throws {
        var rig = NomadRig.filled()
        rig.start()
        #expect(rig.status?.state == .starting)
        #expect(rig.questions.isEmpty, "the stream comes first")
        try rig.flow()
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
        #expect(rig.services.keys.sorted() == ["api.team-a", "web"].map { ServiceName($0) })
        let web = try #require(rig.services[ServiceName("web")]?.instances)
        #expect(web.map(\.port) == [1001, 1002])
        #expect(web[0].tags == ["v1"] && web[0].node == "name of n1" && web[0].datacenter == "dc1")
        #expect(web.allSatisfy { $0.health == .passing })
        #expect(rig.facts.count == 3)
        let catalogs = rig.reports.filter { if case .source(.catalog) = $0 { true } else { false } }
        #expect(catalogs.count == 1)
    }

    @Test("a decision is told as the event comes, without a question")
    func decision() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow()
        let asked = rig.asked.count
        rig.server.set(1, .init(deployment: "d1", desired: "stop"))
        rig.publish()
        let id = try #require(rig.streams.keys.first)
        try rig.hear(id)
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
        #expect(rig.asked.count == asked)
        rig.server.deregister(Sample.registrationID(1))
        try rig.flow()
        #expect(rig.services[ServiceName("web")]?.instances.map(\.port) == [1002])
        rig.server.deregister(Sample.registrationID(2))
        try rig.flow()
        #expect(rig.services[ServiceName("web")] == nil)
    }

    @Test("the version of a list and the deployment and the mark of an event make one fact")
    func shapes() throws {
        var rig = NomadRig.filled()
        rig.server.set("d2", .init(version: 7))
        rig.server.set(1, .init(version: 7, deployment: "d2", isCanary: true))
        rig.server.events = []
        rig.start()
        try rig.flow()
        let id = Sample.allocationID(1)
        #expect(rig.facts[id]?.deployment == "d2" && rig.facts[id]?.jobVersion == 7 && rig.facts[id]?.isCanary == true)
        rig.server.set(1, .init(version: 7, deployment: "d2", isCanary: true, isMigrating: true))
        try rig.flow()
        #expect(rig.facts[id]?.jobVersion == 7 && rig.facts[id]?.isMigrating == true)
        rig.server.set("d2", .init(version: 7, isPromoted: true))
        try rig.flow()
        #expect(rig.facts[id]?.isCanary == false)
        // An update in place.
        rig.server.set("d3", .init(version: 8))
        rig.server.set(1, .init(version: 8, deployment: "d3"))
        try rig.flow()
        #expect(rig.facts[id]?.jobVersion == 8 && rig.facts[id]?.deployment == "d3")
        try rig.flow(for: .seconds(700))
        #expect(rig.facts[id]?.jobVersion == 8 && rig.facts[id]?.deployment == "d3")
    }

    @Test("what changes of nodes and deployments, and of no allocation with them, is told to nobody")
    func silence() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow()
        let told = rig.reports.count
        for node in ["n1", "n2"] { rig.server.setNode(node) }
        rig.server.set("d1", .init(status: "successful"))
        try rig.flow()
        #expect(rig.reports.count == told)
    }

    @Test("a stream that ends is opened again, and what was missed is read")
    func gap() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        let id = try #require(rig.streams.keys.first)
        rig.server.set(1, .init(deployment: "d1", desired: "stop"))
        rig.server.deregister(Sample.registrationID(2))
        rig.server.restart()
        rig.end(id)
        try rig.flow()
        #expect(rig.streams.count == 1)
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
        #expect(rig.services[ServiceName("web")]?.instances.map(\.port) == [1001])
        #expect(rig.status?.state == .up)
    }

    @Test("nothing happened while there was no stream: no service is read again")
    func frugal() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.register(.init(service: "web", namespace: "default", allocation: 1, tags: ["v2"]))
        try rig.flow(for: .seconds(2))
        rig.asked = []
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(2))
        #expect(rig.asked.contains(.page(.services, namespace: "*", token: nil)))
        let reads = rig.asked.filter { if case .service = $0 { true } else { false } }
        #expect(reads.isEmpty)
        #expect(rig.services[ServiceName("web")]?.instances.first?.tags == ["v2"])
    }

    @Test("a stream that shows nothing of what happens is found out")
    func mute() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(30))
        rig.server.set(1, .init(deployment: "d1", desired: "stop"))
        rig.server.events.removeLast()
        try rig.flow(for: .milliseconds(1500))
        #expect(rig.notes.contains(.eventsMissed))
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
    }

    @Test("an answer that events overtook is no reason to read anything")
    func overtaken() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(30))
        let id = try #require(rig.streams.keys.first)
        rig.server.set(1, .init(deployment: "d1", desired: "stop"))
        let isAnswered = rig.process(0)
        #expect(isAnswered)
        rig.server.set(2, .init(deployment: "d1", desired: "stop"))
        rig.publish()
        try rig.hear(id)
        try rig.hear(id)
        rig.asked = []
        rig.arrive(0)
        try rig.flow(for: .seconds(10))
        #expect(!rig.notes.contains(.eventsMissed))
        #expect(rig.asked.allSatisfy { if case .watch = $0 { true } else { false } })
    }

    @Test("a registration that went while an answer with it was on its way does not come back")
    func late() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.register(.init(service: "web", namespace: "default", allocation: 3))
        rig.server.restart()
        rig.end(try #require(rig.streams.keys.first))
        let id = try #require(rig.streams.keys.first)
        rig.open(id)
        func isOfWeb(_ question: NomadQuestion) -> Bool {
            question == .service(.init(namespace: "default", name: "web"))
        }
        while !rig.questions.contains(where: { isOfWeb($0.question) }) {
            let place = try #require(
                rig.questions.firstIndex { if case .page = $0.question { true } else { false } }
            )
            rig.process(place)
            rig.arrive(0)
        }
        rig.process(try #require(rig.questions.firstIndex { isOfWeb($0.question) }))
        rig.server.deregister(Sample.registrationID(1))
        rig.publish()
        try rig.hear(id)
        #expect(rig.services[ServiceName("web")]?.instances.map(\.port) == [1002])
        rig.arrive(0)
        #expect(rig.services[ServiceName("web")]?.instances.map(\.port) == [1002, 1003])
        try rig.flow(for: .seconds(10))
        #expect(rig.services[ServiceName("web")]?.instances.map(\.port) == [1002, 1003])
    }

    @Test("what Nomad collects in silence is forgotten")
    func collected() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(30))
        rig.server.collect(3)
        try rig.flow(for: .seconds(12))
        #expect(rig.facts.count == 2)
    }

    @Test("without a stream, blocking queries tell of every change at once")
    func fallback() throws {
        var rig = NomadRig.filled()
        rig.server.isStreaming = false
        rig.start()
        try rig.flow(for: .seconds(5))
        #expect(rig.status?.state == .up && rig.status?.reason == "partial")
        rig.server.set(1, .init(deployment: "d1", desired: "stop"))
        rig.server.register(.init(service: "new", namespace: "default", allocation: 2))
        try rig.flow(for: .milliseconds(50))
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
        #expect(rig.services[ServiceName("new")] != nil)
        rig.server.isStreaming = true
        try rig.flow(for: .seconds(31))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
    }

    @Test("a token without node:read is done without nodes, and said so")
    func nodes() throws {
        var rig = NomadRig.filled()
        rig.server.mayReadNodes = false
        rig.start()
        try rig.flow()
        #expect(rig.streams.values.map(\.isOpen) == [true])
        #expect(rig.services.count == 2 && rig.facts.count == 3)
        #expect(rig.status?.state == .up && rig.status?.reason == "partial")
        #expect(rig.status?.problem?.hasSuffix("the token needs node:read") == true)
    }

    @Test(
        "a server that fails changes nothing but the status, and is followed again within seconds",
        arguments: [
            (500, "No cluster leader", "status"), (500, "No path to region", "region"),
            (403, "ACL token not found", "acl"),
        ]
    )
    func failing(status: Int, text: String, reason: String) throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        let (services, facts) = (rig.services, rig.facts)
        rig.server.refusal = (status, text)
        rig.end(try #require(rig.streams.keys.first))
        for place in rig.questions.indices.reversed() { rig.process(place) }
        try rig.flow(for: .seconds(90))
        #expect(rig.services == services && rig.facts == facts)
        #expect(rig.status?.state == .down && rig.status?.reason == reason)
        #expect(rig.status?.problem?.contains(text) == true)
        #expect(rig.asked.count < 150, "\(rig.asked.count) questions")
        rig.server.refusal = nil
        rig.server.set(1, .init(deployment: "d1", desired: "stop"))
        try rig.flow(for: .seconds(5))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
    }

    @Test("a token that sees nothing is not believed, from the start and later")
    func blind() throws {
        var rig = NomadRig.filled()
        rig.server.visible = []
        rig.start()
        try rig.flow(for: .seconds(10))
        #expect(rig.status?.state == .suspect && rig.status?.reason == "acl")
        #expect(!rig.reports.contains { if case .source(.catalog) = $0 { true } else { false } })
        rig.server.visible = nil
        try rig.flow(for: .seconds(4))
        #expect(rig.status?.state == .up && rig.services.count == 2)
        rig.server.visible = []
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(10))
        #expect(rig.status?.state == .suspect && rig.services.count == 2)
    }

    @Test("after a restart with fewer namespaces, services of the others are gone")
    func unfollowedSinceBeforeTheStart() throws {
        let old = ServiceName("old.team-b")
        let known = [old: Service(name: old, instances: [], origin: Origin(file: "nomad:team-b/old"))]
        let names = ["default", "team-a"]
        var rig = NomadRig.filled(NomadConfiguration(namespaces: names, wait: .seconds(60)), known: known)
        rig.start()
        try rig.flow(for: .seconds(2))
        #expect(rig.services.keys.map(\.rawValue).sorted() == ["api.team-a", "web"])
        #expect(rig.status?.state == .up)
    }

    @Test("a server that lost its state is believed when it says so twice")
    func wiped() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.wipe()
        rig.server.set(4, .init(deployment: "d9"))
        rig.server.register(.init(service: "other", namespace: "default", allocation: 4))
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(5))
        #expect(rig.notes.contains(.indexFell))
        #expect(rig.services.keys.map(\.rawValue) == ["other"])
        #expect(rig.facts.keys.sorted() == [Sample.allocationID(4)])
        rig.server.set(4, .init(deployment: "d9", desired: "stop"))
        try rig.flow()
        #expect(rig.facts[Sample.allocationID(4)]?.desired == .stop)
    }

    @Test("tables are read page by page")
    func pages() throws {
        var rig = NomadRig.filled()
        rig.server.pageSize = 1
        rig.start()
        try rig.flow()
        #expect(rig.facts.count == 3)
        let pages = rig.asked.filter { if case .page(.allocations, _, _) = $0 { true } else { false } }
        #expect(pages.count == 3)
    }

    @Test("an instance whose checks are required is critical until one succeeds, and again when one fails")
    func checks() throws {
        var rig = NomadRig.filled(NomadConfiguration(requiredChecks: .named(["web"])))
        rig.server.checks = [1: ["web": "pending"], 2: ["web": "success"]]
        rig.start()
        try rig.flow()
        #expect(rig.health("web") == [.critical, .passing])
        #expect(rig.services[ServiceName("api.team-a")]?.instances.map(\.health) == [.passing])
        rig.server.checks[1] = ["web": "success"]
        try rig.flow(for: .seconds(1))
        #expect(rig.health("web") == [.passing, .passing])
        rig.server.checks[2] = ["web": "failure"]
        try rig.flow(for: .seconds(5))
        #expect(rig.health("web") == [.passing, .critical])
    }

    @Test("namespaces by name are followed one by one, the first with plain names")
    func namespaces() throws {
        var rig = NomadRig.filled(NomadConfiguration(namespaces: ["team-a", "default"]))
        rig.start()
        try rig.flow()
        #expect(rig.services.keys.sorted().map(\.rawValue) == ["api", "web.default"])
        #expect(rig.streams.count == 2)
    }

    @Test("an idle cluster is left alone")
    func idle() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(10))
        rig.asked = []
        try rig.flow(for: .seconds(290))
        #expect(rig.asked.count <= 10, "\(rig.asked)")
        let told = rig.reports.count
        try rig.flow(for: .seconds(600))
        #expect(rig.reports.count == told)
    }
}
