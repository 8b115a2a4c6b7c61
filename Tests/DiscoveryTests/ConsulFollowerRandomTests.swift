// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import TestSupport
import Testing

@testable import Discovery

/// Random lives of a Consul: whatever happens, nothing that exists is removed, and in the end everything is known.
@Suite(.longComputation)
struct ConsulFollowerRandomTests {
    /// - Parameter questions: on a connection; nil: one, without TLS; 0: one, with TLS and without HTTP/2.
    @Test(arguments: zip(1...20, (0..<5).flatMap { _ in [nil, 0, 4, 50] }))
    func `whatever happens, nothing is lost and all is known in the end`(seed: UInt64, questions: Int?) {
        var random = SeededGenerator(seed: seed)
        var rig = ConsulRig(seed: seed, questionsPerConnection: questions)
        let services = [5, 20, 60, 120].randomElement(using: &random) ?? 5
        rig.change { model in
            for number in 0..<services { model.register("s\(number)", .init(node: "n\(number % 5)", id: "a")) }
        }
        for _ in 0..<Int.random(in: 50...300, using: &random) {
            Self.happen(&rig, services, isRestarted: seed <= 10, &random)
            rig.run(for: .milliseconds(Int.random(in: 0...400, using: &random)))
        }
        rig.isDown = false
        rig.errorRate = 0
        rig.change { model in
            model.rights = .all
            model.forbidden = []
            // What came to be on a node that was back before the list of nodes lacked it shows only with another change.
            if seed > 10 { model.token += 1 }
        }
        // A question that failed often is put again within a minute.
        rig.run(for: .seconds(80))
        #expect(rig.isSettled)
        #expect(rig.inForce == rig.told)
        #expect(rig.guarded.held == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        #expect(rig.mostInFlight <= ConsulConfiguration.maximumConnections)
    }

    /// - Parameter isRestarted: whether it is now and then. If not, the token loses nodes: what a process has not read itself
    ///   goes with them.
    private static func happen(
        _ rig: inout ConsulRig,
        _ services: Int,
        isRestarted: Bool,
        _ random: inout SeededGenerator
    ) {
        let service = "s\(Int.random(in: 0..<services + 3, using: &random))"
        let node = "n\(Int.random(in: 0..<5, using: &random))"
        let keys = rig.model.services[service]?.keys.sorted() ?? []
        let key = keys.randomElement(using: &random) ?? ""
        let status = Instance.Health.allCases.randomElement(using: &random) ?? .passing
        switch Int.random(in: 0..<46, using: &random) {
        case 0..<8: rig.change { $0.setStatus(status, of: key, in: service) }
        case 8..<13:
            let weight = Int.random(in: 1...9, using: &random)
            let id = ["a", "b", "c"][weight % 3]
            // Nodes may have the same ID: then it goes by the node, too.
            rig.change { $0.register(service, .init(node: node, id: id, weight: weight, isPlain: weight % 2 == 0)) }
        case 13..<16:
            let tags: Set<String> = Bool.random(using: &random) ? ["v1"] : ["v2", "canary"]
            rig.change { $0.register(service, .init(node: node, id: "a", tags: tags, status: status)) }
        case 16..<20: rig.change { $0.deregister(key, of: service) }
        case 20..<23: rig.change { $0.setNode(node, status) }
        case 23: rig.change { $0.setAddress("10.0.0.\(status == .passing ? 1 : 2)", ofNode: node) }
        case 24..<26:
            // Several at once, and back.
            for flip in [Instance.Health.critical, .passing] {
                for key in keys { rig.change { $0.setStatus(flip, of: key, in: service) } }
                rig.run(for: .microseconds(Int.random(in: 0...3000, using: &random)))
            }
        case 26:
            rig.isDown = true
            rig.disconnect()
        case 27..<31: rig.isDown = false
        case 31: rig.change { $0.rights = Bool.random(using: &random) ? .none : .denied }
        case 32..<36: rig.change { $0.rights = .all }
        case 36: rig.errorRate = 5
        case 37..<39: rig.errorRate = 0
        // Of some services, whose names begin so.
        case 40: rig.change { $0.forbidden = [service] }
        case 41: rig.change { $0.forbidden = isRestarted ? [service] : ["node:\(node)"] }
        case 42: rig.change { $0.forbidden = [] }
        case 43: rig.accept()
        case 44 where isRestarted: rig.restart()
        default: rig.run(for: .seconds(Int.random(in: 1...70, using: &random)))
        }
    }
}

extension ConsulAgent {
    static let test: ConsulAgent = {
        let json = #"{"Config": {"Datacenter": "dc1", "Version": "1.8.7"}}"#
        let response = APIResponse(status: 200, body: .init(string: json))
        guard let agent = try? response.value(of: ConsulAgent.self) else { preconditionFailure("no agent") }
        return agent
    }()
}
