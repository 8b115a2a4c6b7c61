// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import TestSupport
import Testing

@testable import Discovery

/// Answers that cannot be used: what is known stays, and it is told.
@Suite("Nomad: answers that cannot be used")
struct NomadFaultTests {
    private func started() throws -> NomadRig {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
        return rig
    }

    /// Events are lost, so that everything is read.
    private func reread(_ rig: inout NomadRig, for time: Duration = .seconds(2)) throws {
        rig.server.restart()
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: time)
    }

    // MARK: - Pages

    @Test("pages without an end are a failure, and the server is left alone")
    func endless() throws {
        var rig = NomadRig.filled()
        rig.server.pageSize = 1
        rig.server.ignoresPages = true
        rig.start()
        try rig.flow(for: .seconds(60))
        #expect(rig.status?.state == .down && rig.status?.reason == "decoding")
        #expect(rig.status?.problem?.contains("the pages of allocations have no end") == true)
        #expect(rig.asked.count < 100, "\(rig.asked.count) questions")
        rig.server.ignoresPages = false
        try rig.flow(for: .seconds(60))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up) && rig.facts.count == 3)
    }

    @Test("there is a highest number of pages")
    func manyPages() {
        var listing = NomadListing()
        listing.sent(NomadRequestID(rawValue: 1))
        for page in 1..<NomadListing.maximumPages {
            #expect(listing.endlessness(.nodes, next: "\(page)") == nil)
            #expect(listing.answered(index: 7, next: "\(page)", at: .zero) == .partial)
        }
        #expect(
            listing.endlessness(.nodes, next: "more")?.text.hasPrefix("there are more than 1000 pages of nodes") == true
        )
        #expect(listing.endlessness(.nodes, next: nil) == nil)
    }

    @Test("there is a highest number of rows")
    func manyRows() throws {
        var listing = NomadListing()
        listing.sent(NomadRequestID(rawValue: 1))
        #expect(listing.endlessness(.nodes, next: "2", rows: NomadListing.maximumRows - 1) == nil)
        #expect(listing.endlessness(.nodes, next: "3", rows: 1) == nil)
        var last = listing
        #expect(last.endlessness(.nodes, next: nil, rows: 1) == nil)
        let failure = listing.endlessness(.nodes, next: "4", rows: 1)
        #expect(failure?.text.hasPrefix("there are more than 2000000 rows of nodes") == true)
        listing.sent(NomadRequestID(rawValue: 2))
        #expect(listing.endlessness(.nodes, next: "2", rows: 1) == nil)

        let rows = "[{\"ID\":\"n1\",\"Name\":\"a\",\"Status\":\"ready\",\"ModifyIndex\":1},{},7]"
        let response = APIResponse(status: 200, index: 7, body: ByteBuffer(string: rows))
        let answer = try NomadAnswer(response, to: .page(.nodes, namespace: "*", token: nil))
        #expect(answer.rowCount == 3, "those that cannot be read are rows, too")
    }

    @Test("a list of services in pages is taken as a whole")
    func pagesOfNames() throws {
        var names: Set<NomadServiceKey> = []
        var rig = NomadRig.filled()
        rig.start()
        for id in rig.streams.keys { rig.open(id) }
        func page(_ text: String, next: String?) throws {
            let place = try #require(
                rig.questions.firstIndex { if case .page(.services, _, _) = $0.question { true } else { false } }
            )
            let asked = rig.questions.remove(at: place)
            let json = "[{\"Namespace\":\"\(text)\",\"Services\":[{\"ServiceName\":\"web\",\"Tags\":[null]}]}]"
            let response = APIResponse(status: 200, index: 120, nextToken: next, body: .init(string: json))
            rig.perform(
                rig.follower.answered(asked.id, .success(try NomadAnswer(response, to: asked.question)), at: rig.now)
            )
        }
        try page("default", next: "2")
        try page("team-a", next: nil)
        for case .service(let key) in rig.asked { names.insert(key) }
        #expect(names.map(\.namespace).sorted() == ["default", "team-a"])
    }

    // MARK: - Rows

    @Test("a registration that cannot be read stays as it was, and others come and go")
    func brokenRow() throws {
        var rig = try self.started()
        rig.server.register(.init(service: "web", namespace: "default", allocation: 3))
        try rig.flow(for: .seconds(2))
        rig.server.deregister(Sample.registrationID(2))
        rig.server.register(.init(service: "web", namespace: "default", allocation: 4))
        rig.server.broken = [Sample.registrationID(1)]
        try self.reread(&rig)
        let ports = Set(rig.services[ServiceName("web")]?.instances.map(\.port) ?? [])
        #expect(ports.isSuperset(of: [1001, 1003, 1004]))
        #expect(rig.status?.state == .up && rig.status?.reason == "partial")
        #expect(rig.status?.problem?.hasPrefix("of the service default/web, what is known stays: ") == true)
        rig.server.broken = []
        try self.reread(&rig)
        #expect(rig.services[ServiceName("web")]?.instances.map(\.port) == [1001, 1003, 1004])
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
    }

    @Test("a service of which no registration can be read stays as it was")
    func brokenRows() throws {
        var rig = try self.started()
        rig.server.register(.init(service: "web", namespace: "default", allocation: 1, tags: ["v2"]))
        rig.server.broken = [Sample.registrationID(1), Sample.registrationID(2)]
        let web = rig.services[ServiceName("web")]
        try self.reread(&rig)
        #expect(rig.services[ServiceName("web")] == web && rig.status?.reason == "partial")
    }

    @Test("a list with a service that cannot be read is no list, and nothing is gone by it")
    func brokenName() throws {
        var rig = try self.started()
        rig.server.isListBroken = true
        rig.server.index += 1
        rig.server.tableIndexes[.services] = rig.server.index
        try self.reread(&rig, for: .seconds(20))
        #expect(rig.services.count == 2)
        #expect(rig.status?.state == .down && rig.status?.reason == "decoding")
        #expect(rig.status?.problem?.contains("ServiceName") == true)
        rig.server.isListBroken = false
        try rig.flow(for: .seconds(60))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up) && rig.services.count == 2)
    }

    @Test("rows of an earlier page that cannot be read are not taken for gone")
    func brokenPage() {
        var listing = NomadListing()
        listing.sent(NomadRequestID(rawValue: 1))
        _ = listing.answered(index: 7, next: "2", unreadable: "element 0: ID is missing", at: .zero)
        #expect(listing.answered(index: 7, next: nil, at: .zero) == .complete(asOf: 7))
        #expect(listing.rowsFailure?.text.contains("ID is missing") == true)
        listing.sent(NomadRequestID(rawValue: 2))
        #expect(listing.rowsFailure != nil)
        _ = listing.answered(index: 7, next: nil, at: .zero)
        #expect(listing.rowsFailure == nil)
    }

    // MARK: - Services

    @Test(
        "a service that cannot be read is told of in whatever order, and the others are taken",
        arguments: ["web", "api"]
    )
    func garbled(name: String) throws {
        var rig = NomadRig.filled()
        rig.server.garbled = [name]
        // No event tells of it, either.
        rig.server.restart()
        rig.start()
        try rig.flow(for: .seconds(30))
        #expect(rig.services.count == 1 && rig.services[ServiceName(name)] == nil)
        #expect(rig.status?.state == .up && rig.status?.reason == "partial")
        #expect(rig.status?.problem?.contains("/\(name), what is known stays") == true)
        rig.server.garbled = []
        try rig.flow(for: .seconds(301))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up) && rig.services.count == 2)
    }

    @Test("one that cannot be read and is gone is no trouble any more")
    func garbledAndGone() throws {
        var rig = NomadRig.filled()
        rig.server.garbled = ["api"]
        rig.server.restart()
        rig.start()
        try rig.flow(for: .seconds(3))
        #expect(rig.status?.reason == "partial")
        rig.server.deregister(Sample.registrationID(3, service: "api"))
        try self.reread(&rig)
        #expect(rig.status == SourceStatus(source: .nomad, state: .up) && rig.services.count == 1)
    }

    @Test("several that fail alike are named together")
    func words() {
        let one = NomadFailure(reason: "decoding", text: "no list")
        let other = NomadFailure(reason: "size", text: "too large")
        let keys = ["a", "b", "c"].map { NomadServiceKey(namespace: "default", name: $0) }
        let lack = NomadLack([keys[0]: one, keys[1]: other, keys[2]: one])
        #expect(lack?.what == "of the services default/a, default/c (and 1 more), what is known stays")
        #expect(lack?.failure == one && NomadLack([:]) == nil)
        let nodes = NomadLack(what: "nodes are not seen", failure: other)
        #expect([nodes, nodes].words == "nodes are not seen: too large")
    }

    // MARK: - Indexes

    @Test("after the highest index there is, the stream begins with whatever there is")
    func highestIndex() throws {
        for (index, next) in [(UInt64.max, nil), (.max - 1, .max)] as [(UInt64, UInt64?)] {
            var rig = try self.started()
            let id = try #require(rig.streams.keys.first)
            let line = try NomadEvents.line(ByteBuffer(string: "{\"Index\":\(index),\"Events\":[]}"))
            rig.perform(rig.follower.heard(id, line, at: rig.now))
            rig.end(id)
            #expect(rig.streams.count == 1 && rig.streams.values.first?.subscription.index == next)
        }
    }

    @Test("a list that is being verified while the indexes fall is not used")
    func verifiedAcrossTheFall() throws {
        var rig = try self.started()
        rig.server.deregister(Sample.registrationID(3, service: "api"))
        rig.server.restart()
        rig.end(try #require(rig.streams.keys.first))
        rig.open(try #require(rig.streams.keys.first))
        // All but the question whether the namespace is seen is answered.
        func answer(but isHeld: (NomadQuestion) -> Bool) {
            while let place = rig.questions.firstIndex(where: {
                if case .watch = $0.question { false } else { !isHeld($0.question) }
            }) {
                rig.process(place)
                rig.arrive(0)
            }
        }
        func isVisibility(_ question: NomadQuestion) -> Bool {
            if case .visibility = question { true } else { false }
        }
        answer(but: isVisibility)
        #expect(rig.questions.contains { isVisibility($0.question) })
        rig.server.wipe()
        rig.server.register(.init(service: "api", namespace: "team-a", allocation: 3))
        rig.server.restart()
        rig.end(try #require(rig.streams.keys.first))
        rig.now += .seconds(1)
        rig.perform(rig.follower.advance(to: rig.now))
        rig.open(try #require(rig.streams.keys.first))
        answer(but: isVisibility)
        rig.now += .milliseconds(250)
        rig.perform(rig.follower.advance(to: rig.now))
        answer(but: isVisibility)
        #expect(rig.notes.contains(.indexFell))
        #expect(!rig.questions.contains { $0.question == .visibility(namespace: "team-a") })
        try rig.flow(for: .seconds(2))
        #expect(rig.services.keys.map(\.rawValue) == ["api.team-a"])
        // What was read is known to be read.
        rig.asked = []
        try self.reread(&rig)
        #expect(!rig.asked.contains { if case .service = $0 { true } else { false } })
    }
}
