// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import TestSupport
import Testing

@testable import Discovery

/// Answers, lists and events that overtake each other.
@Suite("Nomad: what overtakes what", .longComputation)
struct NomadOrderTests {
    private static let key = NomadServiceKey(namespace: "default", name: "web")

    private func rows(_ numbers: Int..., at index: UInt64) throws -> [NomadServiceRegistration] {
        let texts = numbers.map { number in
            FakeNomad.Registration(service: "web", namespace: "default", allocation: number, modifyIndex: index).json
        }
        let response = APIResponse(
            status: 200,
            index: index,
            body: ByteBuffer(string: "[\(texts.joined(separator: ","))]")
        )
        return try response.list(of: NomadServiceRegistration.self).elements
    }

    private func ports(_ table: inout NomadServiceTable) -> [UInt16] {
        let update = table.takeUpdate(isFirst: true, nodeName: { _ in nil }, health: { _ in .passing })
        return update.services[ServiceName("web")]??.instances.map(\.port) ?? []
    }

    @Test("a list of names without a service is newer than an answer that was on its way")
    func list() throws {
        var table = NomadServiceTable(firstNamespace: "default")
        table.apply(try self.rows(1, 2, at: 90), of: Self.key, index: 90, floor: 80)
        table.remove(butFor: [], in: "*", except: [], asOf: 100)
        table.apply(try self.rows(1, 2, at: 90), of: Self.key, index: 95, floor: 100)
        #expect(self.ports(&table) == [])
        // The same of one that was not known when the list came.
        var other = NomadServiceTable(firstNamespace: "default")
        other.remove(butFor: [], in: "*", except: [], asOf: 100)
        other.apply(try self.rows(1, at: 90), of: Self.key, index: 95, floor: 100)
        #expect(self.ports(&other) == [])
        other.apply(try self.rows(1, at: 101), of: Self.key, index: 101, floor: 100)
        #expect(self.ports(&other) == [1001])
    }

    @Test("a deregistration counts before anything else was told of its service")
    func first() throws {
        var table = NomadServiceTable(firstNamespace: "default")
        let row = try #require(try self.rows(1, at: 90).first)
        table.deregistered(row, index: 95, floor: 80)
        table.apply(try self.rows(1, 2, at: 90), of: Self.key, index: 92, floor: 80)
        #expect(self.ports(&table) == [1002])
    }

    @Test("what was asked for before the stream opened and verified after is no whole with its events")
    func verification() {
        var names = NomadNames()
        names.verification = .init(names: [], index: 90, open: ["team-a": .init(rawValue: 1)], isSinceOpen: true)
        names.streamOpened()
        #expect(names.verification?.isSinceOpen == false)
    }

    @Test("a namespace that is seen again is read whatever the index says")
    func revealed() {
        var names = NomadNames()
        let failure = NomadFailure(status: 403, text: "Permission denied")
        names.listed([], unseen: ["default": failure], asOf: 90, isSinceOpen: true)
        names.heard(index: 100)
        names.listed([Self.key], asOf: 100, isSinceOpen: true)
        let next = names.next(at: .zero)
        #expect(next == Self.key)
    }

    @Test("a service that a newer list does not name is not asked for any more, and is no failure")
    func dropped() throws {
        var names = NomadNames()
        var effects = NomadEffects(seed: 1)
        names.listed([Self.key], asOf: 90, isSinceOpen: true)
        let next = names.next(at: .zero)
        let key = try #require(next)
        names.sent(key, effects.send(.service(key), for: .service(scope: 0, key)))
        names.failed(key, NomadFailure(status: 403, text: "Permission denied"), isHopeless: false, &effects)
        #expect(names.failure != nil && names.due != nil)
        names.listed([], asOf: 91, isSinceOpen: true)
        #expect(names.failure == nil && names.due == nil && names.areSettled)
    }

    @Test("while a stream does not open, and while services are read, nothing is due at once again")
    func rest() throws {
        var rig = NomadRig()
        for number in 1...9 {
            rig.server.set(number, .init())
            rig.server.register(.init(service: "s\(number)", namespace: "default", allocation: number))
        }
        rig.start()
        rig.now = .seconds(3)
        rig.perform(rig.follower.advance(to: rig.now))
        #expect(rig.streams.count == 1)
        for _ in 0..<4 {
            rig.process(0)
            rig.arrive(0)
            let deadline = rig.follower.nextDeadline
            #expect(deadline.map { $0 > rig.now } ?? true, "\(String(describing: deadline)) is not after \(rig.now)")
        }
        let reads = rig.questions.filter { if case .service = $0.question { true } else { false } }
        #expect(reads.count == 4)
    }

    // MARK: - Jobs

    private func row<Row: Decodable & Sendable>(_ json: String) throws -> Row {
        let response = APIResponse(status: 200, body: ByteBuffer(string: "[\(json)]"))
        return try #require(try response.list(of: Row.self).elements.first)
    }

    @Test("a job that nothing is of any more is kept nowhere")
    func emptyJob() throws {
        var tables = NomadTables()
        for (index, job) in ["a", "b", "c"].enumerated() {
            let allocation = FakeNomad.Allocation(job: job, modifyIndex: UInt64(index + 1))
            tables.apply(try self.row(allocation.json(1, isEvent: true)) as NomadAllocation, as: .event)
            let deployment = FakeNomad.Deployment(job: job, modifyIndex: UInt64(index + 1))
            tables.apply(try self.row(deployment.json("d1")) as NomadDeployment, as: .event)
            #expect(tables.jobCount == 1)
        }
    }

    @Test("a deployment that is of another job or version is none of the one before")
    func movedDeployment() throws {
        for moved in [FakeNomad.Deployment(job: "other", modifyIndex: 9), .init(version: 4, modifyIndex: 9)] {
            var tables = NomadTables()
            let allocation = FakeNomad.Allocation(modifyIndex: 1).json(1, isEvent: false)
            tables.apply(try self.row(allocation) as NomadAllocation, as: .list(asOf: 5))
            tables.apply(try self.row(FakeNomad.Deployment(modifyIndex: 2).json("d1")) as NomadDeployment, as: .event)
            let id = Sample.allocationID(1)
            #expect(tables.takeUpdate(isFirst: true).allocations[id]??.deployment == "d1")
            tables.apply(try self.row(moved.json("d1")) as NomadDeployment, as: .event)
            let update = tables.takeUpdate(isFirst: false)
            #expect(update.allocations.keys.contains(id) && update.allocations[id]??.deployment == nil)
        }
    }

    // MARK: - Addresses

    @Test(
        "a registration that cannot be sent to is told, so that it can be refused with a diagnostic",
        arguments: [("10.0.0.1", 0), ("10.0.0.1", -1), ("10.0.0.1", 65536), ("", 80)]
    )
    func unreachable(address: String, port: Int) throws {
        let json = FakeNomad.Registration(service: "web", namespace: "default", allocation: 1, modifyIndex: 1).json
            .replacing("\"Port\":1001", with: "\"Port\":\(port)").replacing("10.0.0.1", with: address)
        var table = NomadServiceTable(firstNamespace: "default")
        let good = try self.rows(2, at: 1)
        table.apply(good + [try self.row(json)], of: Self.key, index: 1, floor: 0)
        let update = table.takeUpdate(isFirst: true, nodeName: { _ in nil }, health: { _ in .passing })
        let told = try #require(update.services[ServiceName("web")] ?? nil)
        let (admitted, diagnostics) = InputRules().admit(told, from: .nomad)
        #expect(admitted?.instances.map(\.port) == [1002] && diagnostics.map(\.code) == ["SB311"])
    }
}
