// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import TestSupport
import Testing

@Suite("Join")
struct JoinTests {
    private let web = ServiceName("web")

    private func joined(_ output: Join.Output?, _ name: String = "web") -> Service? {
        output?.update.services[ServiceName(name)] ?? nil
    }

    @Test("an instance knows its allocation, whichever of the two is heard of first")
    func allocation() throws {
        var join = Join()
        let before = join.received(Sample.update([Sample.service("web", [Sample.instance(1)])]))
        #expect(self.joined(before)?.instances.first?.allocation == nil)
        let after = join.received(Sample.facts([Sample.fact(1, isCanary: true)], isComplete: true))
        let allocation = try #require(self.joined(after.first)?.instances.first?.allocation)
        #expect(allocation.id == Sample.allocationID(1))
        #expect(allocation.job == "web" && allocation.jobVersion == 3 && allocation.group == "web")
        #expect(allocation.deployment == "d1" && allocation.isCanary && allocation.nodeID == "n1")

        let again = join.received(Sample.update([Sample.service("web", [Sample.instance(1), Sample.instance(2)])]))
        #expect(self.joined(again)?.instances.map(\.allocation?.id) == [Sample.allocationID(1), nil])
    }

    @Test(
        "what Nomad decided to end drains before its catalog hears of it",
        arguments: [
            Sample.fact(1, desired: .stop), Sample.fact(1, desired: .evict), Sample.fact(1, isMigrating: true),
            Sample.fact(1, desired: .stop, client: .unknown),
        ]
    )
    func draining(fact: AllocationFact) throws {
        var join = Join()
        _ = join.received(Sample.facts([Sample.fact(1), Sample.fact(2)], isComplete: true))
        _ = join.received(Sample.update([Sample.service("web", [Sample.instance(1), Sample.instance(2)])]))
        let output = try #require(join.received(Sample.facts([fact])).first)
        #expect(self.joined(output)?.instances.map(\.isDraining) == [true, false])
        #expect(output.stopped.isEmpty)
    }

    @Test(
        "an instance whose client says that it ended is left out, though its registration lingers",
        arguments: [AllocationFact.ClientStatus.complete, .failed]
    )
    func zombie(client: AllocationFact.ClientStatus) throws {
        var join = Join()
        _ = join.received(Sample.facts([Sample.fact(1)], isComplete: true))
        _ = join.received(Sample.update([Sample.service("web", [Sample.instance(1)])]))
        let output = try #require(join.received(Sample.facts([Sample.fact(1, client: client)])).first)
        #expect(self.joined(output)?.instances.isEmpty == true)
        #expect(output.stopped == [self.web: [InstanceID(Sample.registrationID(1))]])
    }

    @Test("what is lost by the server's word alone stays the last resort")
    func lost() throws {
        var join = Join()
        _ = join.received(Sample.facts([Sample.fact(1), Sample.fact(2)], isComplete: true))
        _ = join.received(Sample.update([Sample.service("web", [Sample.instance(1), Sample.instance(2)])]))
        let one = try #require(join.received(Sample.facts([Sample.fact(1, desired: .stop, client: .lost)])).first)
        #expect(self.joined(one)?.instances.map(\.id.rawValue) == [Sample.registrationID(2)])
        #expect(one.stopped.isEmpty)
        let both = try #require(join.received(Sample.facts([Sample.fact(2, desired: .stop, client: .lost)])).first)
        #expect(self.joined(both)?.instances.map(\.isDraining) == [false, false])
    }

    @Test("an allocation that Nomad does not name changes nothing")
    func unknown() {
        var join = Join()
        let plain = Sample.service("web", [Sample.instance(1)])
        #expect(self.joined(join.received(Sample.update([plain]))) == plain)
        #expect(join.received(Sample.facts([Sample.fact(2)], isComplete: true)).isEmpty)
    }

    @Test("what was said of an allocation holds after Nomad has collected it, as long as it is registered")
    func collected() {
        var join = Join()
        _ = join.received(Sample.facts([Sample.fact(1, client: .failed), Sample.fact(2)], isComplete: true))
        let service = Sample.service("web", [Sample.instance(1), Sample.instance(2)])
        _ = join.received(Sample.update([service]))
        #expect(join.received(Sample.facts([], isComplete: true)).isEmpty)
        #expect(self.joined(join.received(Sample.update([service])))?.instances.count == 1)
        _ = join.received(Sample.update([], without: ["web"]))
        #expect(self.joined(join.received(Sample.update([service]))) == service)
    }

    @Test("an instance that leaves is known to have stopped, if it has")
    func leaving() {
        var join = Join()
        _ = join.received(
            Sample.facts([Sample.fact(1, desired: .stop, client: .complete), Sample.fact(2)], isComplete: true)
        )
        _ = join.received(Sample.update([Sample.service("web", [Sample.instance(1), Sample.instance(2)])]))
        let output = join.received(Sample.update([], isComplete: true))
        #expect(output.update == Sample.update([], isComplete: true))
        #expect(output.stopped == [self.web: [InstanceID(Sample.registrationID(1))]])
    }

    @Test("a canary is none any more once it is promoted, and both sources are told apart")
    func promotion() {
        var join = Join()
        _ = join.received(Sample.facts([Sample.fact(1, isCanary: true)], isComplete: true))
        for source in [SourceName.consul, .nomad] {
            let output = join.received(Sample.update([Sample.service("web", [Sample.instance(1)])], source: source))
            #expect(self.joined(output)?.instances.first?.isCanary == true)
        }
        let outputs = join.received(Sample.facts([Sample.fact(1)]))
        #expect(outputs.map(\.update.source) == [.consul, .nomad])
        #expect(outputs.map { self.joined($0)?.instances.first?.isCanary } == [false, false])
    }

    @Test("a fact that changes nothing of an instance says nothing")
    func quiet() {
        var join = Join()
        _ = join.received(Sample.facts([Sample.fact(1, client: .pending)], isComplete: true))
        _ = join.received(Sample.update([Sample.service("web", [Sample.instance(1)])]))
        #expect(join.received(Sample.facts([Sample.fact(1, client: .running)])).isEmpty)
    }

    @Test(
        "the ID of a registration tells the allocation, and nothing that looks like one does",
        arguments: [
            (
                "_nomad-task-5CA1AB1E-0000-4000-8000-000000000001-group-web-web-http",
                "5ca1ab1e-0000-4000-8000-000000000001"
            ),
            (
                "_nomad-task-5ca1ab1e-0000-4000-8000-000000000001-server-web--sidecar-proxy",
                "5ca1ab1e-0000-4000-8000-000000000001"
            ),
            (
                "dc2/_nomad-task-5ca1ab1e-0000-4000-8000-000000000001-a/b-web-http",
                "5ca1ab1e-0000-4000-8000-000000000001"
            ),
            ("_nomad-task-5ca1ab1e-0000-4000-8000-00000000001-group-web-web-http", nil),
            ("_nomad-task-5ca1ab1e-0000-4000-8000-000000000001", nil),
            ("_nomad-task-q7bgdxbv2jtxkvmzfg7rysdtlb6fq4ex-web-http", nil),
            ("_nomad-server-5ca1ab1e-0000-4000-8000-000000000001-http", nil),
            ("_nomad-client-5ca1ab1e-0000-4000-8000-000000000001-http", nil),
            ("web-1", nil), ("", nil), ("/", nil), ("_nomad-task-", nil),
            (String(repeating: "_nomad-task-", count: 1000), nil),
        ] as [(String, String?)]
    )
    func identifiers(text: String, allocation: String?) {
        #expect(TaskRegistrationID(text)?.allocation == allocation)
    }
}
