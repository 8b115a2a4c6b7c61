// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// One datacenter, answered by hand: what overtakes what.
struct ConsulDatacenterTests {
    private struct Hand {
        var datacenter: ConsulDatacenter
        var effects = ConsulEffects(seed: 1)
        var open: [ConsulQuery.Subject: ConsulRequestID] = [:]

        /// A datacenter with one service that was read at index 5, when the questions' answers were at 10.
        ///
        /// - Parameter watched: how many services are watched.
        init(watched: Int = 0) {
            self.datacenter = ConsulDatacenter(
                name: nil,
                selection: ConsulSelection(patterns: ["*"], isExposedByDefault: true),
                isFiltered: false,
                limits: .init(readers: 8, probers: 1, focus: watched)
            )
            self.datacenter.proceed(&self.effects)
            self.take()
            self.answer(.servers, .servers(nodes: ["server"]), 1)
            self.answer(.services, .services(["consul": [], "web": []]), 10)
            self.answer(.nodes, .nodes(["n": 1]), 10)
            self.answer(.checks(.critical), .checks([]), 10)
            self.answer(.checks(.warning), .checks([]), 10)
            self.answer(.service("web"), self.web(.passing), 5)
        }

        mutating func take() {
            for case .send(let id, let query) in self.effects.takeActions() { self.open[query.subject] = id }
        }

        mutating func answer(_ subject: ConsulQuery.Subject, _ content: ConsulAnswer.Content, _ index: UInt64) {
            guard let id = self.open.removeValue(forKey: subject), self.effects.ended(id) != nil else {
                Issue.record("\(subject) was not asked")
                return
            }
            self.effects.now += .milliseconds(1)
            let answer = ConsulAnswer(content: content, index: index, bytes: 100)
            self.datacenter.answered(id, answer, &self.effects)
            self.take()
        }

        func web(_ health: Instance.Health) -> ConsulAnswer.Content {
            let instance = Instance(
                id: InstanceID("a"),
                address: "10.0.0.1",
                port: 80,
                health: health,
                node: "n",
                origin: Origin(file: "consul")
            )
            return .service(ConsulServiceReading(instances: [instance], nodes: ["n"], count: 1))
        }

        /// Whoever may read the service is told that it is not there.
        mutating func isGone() {
            self.answer(.entry(ConfigEntry.Key(kind: "service-defaults", name: "web")), .presence(false), 1)
            self.answer(.instances("web"), .presence(false), 1)
        }

        var isReading: Bool { self.open[.service("web")] != nil }

        static func check(_ service: String = "web") -> Set<ConsulCheckKey> {
            [ConsulCheckKey(node: "n", check: "c", service: service, serviceID: service.isEmpty ? "" : "a")]
        }
    }

    @Test func `once read, a service is not read again`() {
        let hand = Hand()
        #expect(!hand.isReading)
        #expect(hand.datacenter.isComplete)
    }

    @Test(arguments: ["web", ""])
    func `a check that enters a state makes the service dirty, or all services of the node`(service: String) {
        var hand = Hand()
        hand.answer(.checks(.critical), .checks(Hand.check(service)), 11)
        #expect(hand.isReading)
    }

    @Test func `what a reading shows already is not read again`() {
        var hand = Hand()
        hand.answer(.services, .services(["consul": [], "web": ["v2"]]), 11)
        hand.answer(.service("web"), hand.web(.critical), 12)
        hand.answer(.checks(.critical), .checks(Hand.check()), 12)
        #expect(!hand.isReading)
    }

    @Test func `a reading that a change overtook is repeated`() {
        var hand = Hand()
        hand.answer(.services, .services(["consul": [], "web": ["v2"]]), 11)
        // On its way since before the check failed.
        hand.answer(.checks(.critical), .checks(Hand.check()), 12)
        hand.answer(.service("web"), hand.web(.passing), 5)
        #expect(hand.isReading)
        hand.answer(.service("web"), hand.web(.critical), 12)
        #expect(!hand.isReading)
    }

    @Test func `a reading that a later answer overtook is repeated, and takes nothing back`() {
        var hand = Hand(watched: 1)
        let waiting = hand.open.removeValue(forKey: .service("web"))
        hand.answer(.services, .services(["consul": [], "web": ["v2"]]), 11)
        let reading = hand.open.removeValue(forKey: .service("web"))
        hand.open[.service("web")] = waiting
        hand.answer(.service("web"), hand.web(.critical), 12)
        hand.open[.service("web")] = reading
        let before = ConsulServiceReading(instances: [], nodes: ["n"], count: 1)
        hand.answer(.service("web"), .service(before), 11)
        #expect(hand.datacenter.services["web"]?.instances.map(\.health) == [.critical])
        #expect(hand.isReading)
        #expect(!hand.datacenter.isResetWanted)
    }

    @Test func `a state that was read in passing and that no answer showed is read again`() {
        var hand = Hand()
        hand.answer(.services, .services(["consul": [], "web": ["v2"]]), 11)
        hand.answer(.service("web"), hand.web(.critical), 12)
        // It failed at 12, and passes at 13.
        hand.answer(.checks(.critical), .checks([]), 13)
        #expect(hand.isReading)
    }

    @Test func `the same when the answer comes before the reading`() {
        var hand = Hand()
        hand.answer(.services, .services(["consul": [], "web": ["v2"]]), 11)
        hand.answer(.checks(.critical), .checks([]), 13)
        hand.answer(.service("web"), hand.web(.critical), 12)
        #expect(hand.isReading)
    }

    @Test func `a node that changes makes its services dirty`() {
        var hand = Hand()
        hand.answer(.nodes, .nodes(["n": 11]), 11)
        #expect(hand.isReading)
    }

    @Test func `a service is gone when the list says so, and not when its reading is empty`() {
        var hand = Hand()
        hand.answer(.services, .services(["consul": [], "web": ["v2"]]), 11)
        hand.answer(.service("web"), .service(ConsulServiceReading(instances: [], nodes: [], count: 0)), 12)
        #expect(hand.datacenter.services["web"]?.instances.count == 1)
        hand.answer(.services, .services(["consul": []]), 12)
        #expect(hand.datacenter.services["web"] != nil)
        hand.isGone()
        #expect(hand.datacenter.services["web"] == nil)
    }

    @Test func `an index that fell is confirmed before it is believed`() {
        var hand = Hand()
        hand.answer(.services, .services(["consul": []]), 9)
        #expect(hand.datacenter.services["web"] != nil)
        hand.answer(.services, .services(["consul": [], "web": []]), 11)
        #expect(hand.datacenter.services["web"] != nil)
        hand.answer(.services, .services(["consul": []]), 9)
        hand.answer(.services, .services(["consul": []]), 9)
        // Everything is asked anew.
        hand.answer(.services, .services(["consul": []]), 9)
        hand.answer(.nodes, .nodes(["n": 1]), 9)
        hand.answer(.checks(.critical), .checks([]), 9)
        hand.answer(.checks(.warning), .checks([]), 9)
        hand.isGone()
        #expect(hand.datacenter.services["web"] == nil)
    }

    @Test func `a list without the servers removes nothing`() {
        var hand = Hand()
        hand.answer(.services, .services([:]), 11)
        #expect(hand.datacenter.services["web"] != nil)
        #expect(hand.datacenter.link.state == .blind)
    }
}
