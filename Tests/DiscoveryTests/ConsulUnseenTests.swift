// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// A service of which the token may read some instances only: news of these is as good as ever, and the others stay.
struct ConsulUnseenTests {
    private static let web = ServiceName("web")

    /// `web` has an instance on each of `n0` to `n9`.
    private static func rig(forbidden: Set<String> = []) -> ConsulRig {
        var rig = ConsulRig()
        rig.change { model in
            for number in 0..<10 { model.register("web", .init(node: "n\(number)", id: "web")) }
            model.forbidden = forbidden
        }
        rig.run(for: .seconds(3))
        return rig
    }

    /// By node, if there is one of it.
    private static func told(_ rig: ConsulRig) -> [String: Instance] {
        let instances = rig.told[Self.web]?.instances ?? []
        return Dictionary(instances.map { ($0.node, $0) }) { first, _ in
            Issue.record("there are two of \(first.node)")
            return first
        }
    }

    private static func nodes(_ numbers: some Sequence<Int>) -> [String] { numbers.map { "n\($0)" } }

    private static func hidden(_ rig: ConsulRig) -> [Int] {
        rig.guarded.held.filter { $0.reason == .hidden }.map(\.instances)
    }

    @Test func `deployments, weights and checks of those that may be read arrive at once`() {
        var rig = Self.rig()
        rig.change { $0.forbidden = ["node:n2"] }
        rig.change { $0.register("web", .init(node: "n1", id: "web", weight: 7)) }
        rig.run(for: .seconds(1))
        #expect(Self.told(rig)["n1"]?.weight.value == 7)
        #expect(Self.hidden(rig) == [1] && rig.status?.state == .suspect && rig.status?.reason == "acl")
        rig.run(for: .seconds(100))
        rig.change { $0.setStatus(.critical, of: "n3/web", in: "web") }
        rig.run(for: .milliseconds(200))
        #expect(Self.told(rig)["n3"]?.health == .critical)
        rig.change { $0.setStatus(.passing, of: "n3/web", in: "web") }
        rig.change { $0.register("web", .init(node: "n10", id: "web", weight: 3)) }
        rig.run(for: .milliseconds(200))
        #expect(Self.told(rig)["n3"]?.health == .passing && Self.told(rig)["n10"]?.weight.value == 3)
        // The last instance of a node that stays, and a node that leaves.
        rig.change { $0.deregister("n4/web", of: "web") }
        rig.change { $0.remove(node: "n5") }
        rig.run(for: .seconds(1))
        #expect(Self.told(rig).keys.sorted() == Self.nodes([0, 1, 10, 2, 3, 6, 7, 8, 9]))
        #expect(rig.status?.state == .suspect && Self.hidden(rig) == [1])
        // It was said once, and nothing else seemed to be hidden meanwhile.
        #expect(rig.guardEvents.map(\.change) == [.held])
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled && rig.guarded.held == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `a rolling deployment leaves nothing behind but what may not be read`() {
        var rig = Self.rig()
        rig.change { $0.forbidden = ["node:n2"] }
        for number in 0..<10 {
            rig.change { $0.register("web", .init(node: "n\(number)", id: "new")) }
            rig.run(for: .milliseconds(150))
            rig.change { $0.deregister("n\(number)/web", of: "web") }
            rig.run(for: .milliseconds(150))
        }
        rig.run(for: .seconds(1))
        #expect(Self.told(rig).values.filter { $0.id.rawValue.hasSuffix("web") }.map(\.node) == ["n2"])
        #expect(Self.told(rig).count == 10 && Self.hidden(rig) == [1])
        rig.accept()
        rig.run(for: .seconds(5))
        #expect(Self.told(rig).keys.sorted() == Self.nodes([0, 1] + (3...9)) && rig.guarded.held == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        // The list of the nodes has shown it by then.
        rig.run(for: .seconds(70))
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(70))
        #expect(rig.isSettled)
    }

    @Test func `when Consul says that nothing is left out, what is missing is gone`() {
        var rig = Self.rig()
        rig.change { $0.forbidden = ["node:n2"] }
        rig.change { $0.register("web", .init(node: "n1", id: "web", weight: 7)) }
        rig.run(for: .seconds(30))
        #expect(Self.hidden(rig) == [1])
        rig.change { $0.deregister("n2/web", of: "web") }
        rig.run(for: .seconds(1))
        #expect(rig.isSettled && rig.guarded.held == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `a node that may not be read and leaves takes its instances along`() {
        var rig = Self.rig()
        rig.change { $0.forbidden = ["node:n2", "node:n3"] }
        rig.change { $0.register("web", .init(node: "n1", id: "web", weight: 7)) }
        rig.run(for: .seconds(30))
        #expect(Self.hidden(rig) == [2])
        rig.change { $0.remove(node: "n2") }
        rig.run(for: .seconds(15))
        #expect(Self.told(rig)["n2"] == nil && Self.told(rig)["n3"] != nil && Self.hidden(rig) == [1])
    }

    /// The default ID is the service's name.
    @Test(arguments: [true, false])
    func `an instance on a node that may not be read stays when another node registers its ID`(isThere: Bool) {
        var rig = ConsulRig()
        rig.change { $0.register("web", .init(node: "n2", id: "web", port: 81, isPlain: true)) }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["node:n2"]
            model.register("web", .init(node: "n1", id: "web", port: 82, status: .critical, isPlain: true))
        }
        rig.run(for: .seconds(30))
        #expect(Self.told(rig).mapValues(\.port) == ["n1": 82, "n2": 81] && Self.hidden(rig) == [1])
        #expect(Self.told(rig).mapValues(\.id.rawValue) == ["n1": "web", "n2": "n2/web"])
        #expect(rig.inForce[Self.web]?.instances.filter(\.isRoutable).map(\.node) == ["n2"])
        // It keeps the name that it was given.
        rig.change { $0.setStatus(.passing, of: "n1/web", in: "web") }
        rig.run(for: .seconds(30))
        #expect(Self.told(rig).mapValues(\.id.rawValue) == ["n1": "web", "n2": "n2/web"])
        rig.change { model in
            if !isThere { model.remove(node: "n2") }
            model.forbidden = []
        }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled && rig.guarded.held == [] && Self.told(rig).count == (isThere ? 2 : 1))
    }

    @Test func `an instance that moved to another node is there once, as soon as its own node was asked for`() {
        var rig = Self.rig()
        rig.change { $0.register("web", .init(node: "n2", id: "own", isPlain: true)) }
        rig.change { $0.deregister("n2/web", of: "web") }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["node:n3"]
            model.deregister("n2/own", of: "web")
            model.register("web", .init(node: "n1", id: "own", isPlain: true))
            model.deregister("n1/web", of: "web")
        }
        rig.run(for: .seconds(15))
        #expect(Self.told(rig).keys.sorted() == Self.nodes([0, 1] + (3...9)) && Self.hidden(rig) == [1])
        #expect(Self.told(rig)["n1"]?.id == InstanceID("own"))
    }

    @Test(arguments: [true, false])
    func `what is lost after a restart, or after that was accepted once, stays like the first`(isRestarted: Bool) {
        var rig = Self.rig(forbidden: isRestarted ? ["node:n2"] : [])
        if isRestarted {
            rig.restart()
            rig.run(for: .seconds(10))
        } else {
            rig.change { $0.forbidden = ["node:n2"] }
            rig.change { $0.register("web", .init(node: "n1", id: "web", weight: 7)) }
            rig.run(for: .seconds(10))
            rig.accept()
            rig.run(for: .seconds(10))
        }
        #expect(Self.told(rig).count == 9 && rig.guarded.held == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        for number in 3...5 {
            rig.change { $0.forbidden.insert("node:n\(number)") }
            rig.change { $0.register("web", .init(node: "n1", id: "web", weight: number)) }
            rig.run(for: .seconds(100))
            #expect(Self.told(rig).count == 9 - (number - 3) && Self.hidden(rig) == [1])
            #expect(Self.told(rig)["n1"]?.weight.value == number)
            rig.accept()
            rig.run(for: .seconds(10))
            #expect(Self.told(rig)["n\(number)"] == nil && rig.guarded.held == [])
        }
        // Nothing changes in Consul.
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(70))
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `a service of which nothing can be read stays as it was until something can`() {
        var rig = ConsulRig()
        rig.change { model in
            for node in ["n1", "n2", "n3"] { model.register("web", .init(node: node, id: "web")) }
        }
        rig.run(for: .seconds(3))
        rig.change { $0.forbidden = ["node:n2"] }
        rig.change { $0.deregister("n1/web", of: "web") }
        rig.change { $0.deregister("n3/web", of: "web") }
        rig.run(for: .seconds(30))
        // Nobody says whether it is the nodes or the service that may not be read.
        #expect(Self.told(rig).keys.sorted() == ["n1", "n2", "n3"] && Self.hidden(rig) == [3])
        rig.change { $0.register("web", .init(node: "n4", id: "web")) }
        rig.run(for: .seconds(1))
        #expect(Self.told(rig).keys.sorted() == ["n2", "n4"] && Self.hidden(rig) == [1])
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled && rig.guarded.held == [])
    }

    @Test func `a service that may not be read, on nodes that may, stays`() {
        var rig = Self.rig()
        rig.change { model in
            model.hidden = ["web"]
            model.tellsOfHidden = true
            model.register("web", .init(node: "n1", id: "web", weight: 7))
        }
        rig.run(for: .seconds(30))
        #expect(Self.told(rig).count == 10 && Self.hidden(rig) == [10])
        rig.change { $0.hidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled && rig.guarded.held == [])
    }

    @Test func `hundreds of nodes that may not be read any more are asked for a few at a time, and seldom`() {
        var rig = ConsulRig()
        rig.change { model in
            for number in 0..<300 { model.register("web", .init(node: "n\(number)", id: "web")) }
        }
        rig.run(for: .seconds(10))
        rig.change { model in
            model.forbidden = Set((1..<300).map { "node:n\($0)" })
            model.register("web", .init(node: "n0", id: "web", weight: 2))
        }
        rig.run(for: .seconds(10))
        #expect(Self.hidden(rig) == [299] && rig.mostInFlight <= ConsulConfiguration.maximumConnections)
        let before = rig.sent.count
        rig.run(for: .seconds(100))
        let asked = rig.sent[before...].count { if case .unreadable = $0.subject { true } else { false } }
        #expect((1...100).contains(asked))
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled && rig.guarded.held == [])
    }

    // MARK: By hand

    private static func instance(_ id: String, on node: String) -> Instance {
        Instance(id: InstanceID(id), address: "10.0.0.1", port: 80, node: node, origin: Origin(file: "consul"))
    }

    @Test func `an instance is missed by its node, and gets a name of its own where its ID is another's`() {
        var known = ConsulKnownService(tags: [])
        known.isRead = true
        known.instances = [Self.instance("a", on: "n1"), Self.instance("b", on: "n2"), Self.instance("c", on: "n2")]
        var reading = ConsulServiceReading(instances: [Self.instance("b", on: "n3")], nodes: ["n3"], count: 1)
        #expect(known.unseen(in: reading) == [])
        reading.isFiltered = true
        #expect(known.unseen(in: reading).map(\.id.rawValue) == ["a", "n2/b", "c"])
        let whole = reading.keeping(known.unseen(in: reading))
        #expect(whole.instances.map { "\($0.id) \($0.node)" } == ["a n1", "b n3", "c n2", "n2/b n2"])
        known.instances = whole.instances
        #expect(known.unseen(in: reading).map(\.id.rawValue) == ["a", "c", "n2/b"], "it keeps that")
        reading.instances.append(Self.instance("n2/b", on: "n3"))
        #expect(known.unseen(in: reading).map(\.id.rawValue) == ["a", "c", "n2/n2/b"])
        reading.instances.removeLast()
        #expect(whole.nodes == ["n1", "n2", "n3"] && whole.count == 1)
        // What else the node has of it is seen: this one is gone.
        reading.nodes = ["n1", "n3"]
        #expect(known.unseen(in: reading).map(\.id.rawValue) == ["c", "n2/b"])
    }

    private struct Hand {
        var unseen = ConsulUnseen()
        var effects = ConsulEffects(seed: 1)
        private var open: [ConsulRequestID] = []

        mutating func ask() -> Int {
            self.unseen.ask(room: 6, in: nil, &self.effects)
            for case .send(let id, _) in self.effects.takeActions() { self.open.append(id) }
            return self.open.count
        }

        mutating func takeCleared(_ service: String) -> Set<InstanceID> {
            self.unseen.takeCleared(service, at: self.effects.now)
        }

        mutating func answer(isThere: Bool) -> ConsulUnseen.Finding? {
            self.unseen.answered(self.open.removeFirst(), isThere: isThere, &self.effects)
        }
    }

    /// The right may have been lost after the answer was made.
    @Test func `an answer about a node says nothing of what was missed after it was asked for`() {
        var hand = Hand()
        let (a, b) = (Self.instance("a", on: "n1"), Self.instance("b", on: "n1"))
        var isOther = hand.unseen.lacks([a], of: "web")
        #expect(!isOther && hand.ask() == 1)
        isOther = hand.unseen.lacks([b], of: "api")
        var finding = hand.answer(isThere: false)
        #expect(!isOther && finding == .nothing)
        #expect(hand.takeCleared("web") == [])
        // It is asked for once more.
        #expect(hand.ask() == 1)
        finding = hand.answer(isThere: false)
        #expect(finding == .granted(["api", "web"]))
        #expect(hand.takeCleared("web") == [a.id] && hand.takeCleared("web") == [])
        // This reading was not made of that, or failed.
        isOther = hand.unseen.lacks([a], of: "web")
        #expect(!isOther && hand.ask() == 1)
        finding = hand.answer(isThere: true)
        #expect(finding == .refused(["api", "web"]))
        #expect(hand.unseen.hidden == ["web": [a.id], "api": [b.id]])
        // What is missed there from now on is hidden at once, and asked for at once.
        isOther = hand.unseen.lacks([a, Self.instance("c", on: "n1")], of: "web")
        #expect(isOther && hand.unseen.hidden["web"]?.count == 2 && hand.ask() == 1)
    }

    @Test func `of what is hidden only that goes which was told`() {
        var hand = Hand()
        let (a, b) = (Self.instance("a", on: "n1"), Self.instance("b", on: "n1"))
        _ = hand.unseen.lacks([a, b], of: "web")
        #expect(hand.ask() == 1)
        _ = hand.answer(isThere: true)
        let accepted = hand.unseen.accept("web") { $0 == a.id }
        #expect(accepted == [a.id] && hand.unseen.hidden == ["web": [b.id]] && hand.unseen.kept(of: "web") == [b.id])
        hand.unseen.forget("web")
        #expect(hand.unseen.hidden == [:] && hand.unseen.kept(of: "web") == [])
    }

    @Test(arguments: [true, false])
    func `what another token was granted, or this one long ago, counts no more`(isOther: Bool) {
        var hand = Hand()
        _ = hand.unseen.lacks([Self.instance("a", on: "n1")], of: "web")
        #expect(hand.ask() == 1)
        _ = hand.answer(isThere: false)
        if isOther { hand.unseen.renew(&hand.effects) } else { hand.effects.now = .seconds(11) }
        #expect(hand.takeCleared("web") == [])
    }
}
