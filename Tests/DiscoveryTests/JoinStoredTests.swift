// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// A registration that lingers stays out over a restart.
@Suite("Join: what is stored")
struct JoinStoredTests {
    private static let registered = Sample.update(
        [Sample.service("web", [Sample.instance(1), Sample.instance(2)])],
        isComplete: true
    )
    private static let facts = Sample.facts(
        [Sample.fact(1, desired: .stop, client: .complete), Sample.fact(2)],
        isComplete: true
    )

    /// What a process that knows both stores.
    private func stored(_ facts: NomadFactsUpdate = Self.facts) -> StoredCatalog {
        var join = Join()
        _ = join.received(facts)
        let services = join.received(Self.registered).update.services.values.compactMap(\.self)
        return StoredCatalog(
            savedAt: 1,
            sources: [.consul: .init(heardAt: 1, services: services), .file: .init(heardAt: 1)],
            ended: join.ended
        )
    }

    private func next(_ stored: StoredCatalog) -> Join {
        var join = Join()
        join.restore(stored)
        return join
    }

    private func ports(_ output: Join.Output) -> [String] {
        output.update.services[ServiceName("web")]??.instances.map(\.address) ?? []
    }

    @Test("a zombie does not come back while Nomad is not heard")
    func unheard() {
        let stored = self.stored()
        #expect(stored.ended.map(\.allocation.id) == [Sample.allocationID(1)])
        var join = self.next(stored)
        #expect(self.ports(join.received(Self.registered)) == ["10.0.0.3"])
        #expect(join.ended == stored.ended)
    }

    @Test("nor when Nomad has collected its allocation, whichever of the two is heard first", arguments: [true, false])
    func collected(isNomadFirst: Bool) {
        var join = self.next(self.stored())
        let facts = Sample.facts([Sample.fact(2)], isComplete: true)
        if isNomadFirst {
            #expect(join.received(facts).isEmpty)
            #expect(self.ports(join.received(Self.registered)) == ["10.0.0.3"])
        } else {
            #expect(self.ports(join.received(Self.registered)) == ["10.0.0.3"])
            #expect(join.received(facts).isEmpty)
        }
        #expect(join.ended.map(\.allocation.id) == [Sample.allocationID(1)])
    }

    @Test("nor when the first word of its catalog leaves its service out as not read yet", arguments: [true, false])
    func unread(isNomadFirst: Bool) {
        var join = self.next(self.stored())
        var unread = Sample.update([], isComplete: true)
        unread.unheard.services[ServiceName("web")] = ["dc1"]
        let facts = Sample.facts([Sample.fact(2)], isComplete: true)
        if isNomadFirst { _ = join.received(facts) }
        _ = join.received(unread)
        if !isNomadFirst { _ = join.received(facts) }
        let read = Sample.update(Self.registered.services.values.compactMap(\.self))
        #expect(self.ports(join.received(read)) == ["10.0.0.3"])
        _ = join.received(Sample.update([Sample.service("web", [Sample.instance(2)])]))
        #expect(join.ended.isEmpty)
    }

    @Test("it is stored again by a process that heard nobody, and not once its registration is gone")
    func again() {
        var join = self.next(self.next(self.stored()).stored(like: self.stored()))
        #expect(join.ended.count == 1)
        _ = join.received(Sample.update([Sample.service("web", [Sample.instance(2)])], isComplete: true))
        _ = join.received(Sample.facts([Sample.fact(2)], isComplete: true))
        #expect(join.ended.isEmpty)
        #expect(join.facts.count == 1)
    }

    @Test("one that was lost is left out as before, and serves again when Nomad says that it runs")
    func lost() throws {
        let stored = self.stored(
            Sample.facts([Sample.fact(1, desired: .stop, client: .lost), Sample.fact(2)], isComplete: true)
        )
        #expect(stored.ended.map(\.isLost) == [true])
        var join = self.next(stored)
        #expect(self.ports(join.received(Self.registered)) == ["10.0.0.3"])
        let output = try #require(
            join.received(Sample.facts([Sample.fact(1), Sample.fact(2)], isComplete: true)).first
        )
        #expect(self.ports(output) == ["10.0.0.2", "10.0.0.3"])
    }

    @Test("of a service that is not heard, Nomad's word is the whole: nothing is doubled, and what ended is out")
    func factsOfTheUnheard() throws {
        let web = ServiceName("web")
        var pipeline = CatalogGuard(CatalogGuard.Settings(rules: [.consul: CatalogGuard.SourceRules()]))
        var join = Join()
        let before = Sample.update([Sample.service("web", [Sample.instance(1), Sample.instance(2)])], isComplete: true)
        _ = pipeline.apply(join.received(before).update, at: .zero)
        _ = join.received(Sample.facts([Sample.fact(1), Sample.fact(2)], isComplete: true))
        var unheard = CatalogUpdate(source: .consul, isComplete: true, services: [:])
        unheard.unheard.services[web] = []
        _ = pipeline.apply(join.received(unheard).update, at: .seconds(1))
        func ids() -> [String]? { pipeline.catalog.services[web]?.instances.map(\.id.rawValue).sorted() }
        #expect(ids() == [Sample.registrationID(1), Sample.registrationID(2)])
        for output in join.received(Sample.facts([Sample.fact(1, desired: .stop, client: .complete)])) {
            _ = pipeline.apply(output.update, stopped: output.stopped, at: .seconds(2))
        }
        #expect(ids() == [Sample.registrationID(2)])
    }

    @Test("what ended and left nothing behind is not stored")
    func bounded() {
        var join = Join()
        _ = join.received(Sample.facts((1...500).map { Sample.fact($0, client: .complete) }, isComplete: true))
        _ = join.received(Self.registered)
        #expect(join.ended.count == 2)
    }
}

extension Join {
    fileprivate func stored(like stored: StoredCatalog) -> StoredCatalog {
        var stored = stored
        stored.ended = self.ended
        return stored
    }
}
