// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import TestSupport
import Testing

@testable import XDSProtocol

/// What is found in requests and in the words of a NACK without reading all of them again and again.
struct WordsTests {
    @Test(arguments: [
        ("web: no such thing", ["web"]), ("a-web is bad", ["a-web"]), ("(web)", ["web"]),
        ("cluster 'web.v1'", ["web", "web.v1"]),
        ("web2 api", ["api"]), ("web/api", ["web/api"]), ("", []), ("api,web", ["api", "web"]), ("xweb", []),
        ("webx", []),
        ("a web", ["web"]), ("é web é", ["web"]), ("web?x=1", []),
    ])
    func `names are found as whole words`(message: String, names: [String]) {
        let all = ["api", "web", "web.v1", "a-web", "web/api", ""].map { name in
            Resource(type: .cluster, name: ResourceName(name), message: [])
        }
        #expect(Set(Suspects.mentioned(all, in: message).map(\.name.rawValue)) == Set(names))
    }

    @Test func `ten thousand names are looked for in the time of one`() {
        let resources = (0..<10_000).map { Resource(type: .cluster, name: ResourceName("service-\($0)"), message: []) }
        let message = Suspects.excerpt(String(repeating: "s service-x ", count: 60) + "service-77")
        let clock = ContinuousClock()
        var named: [Resource] = []
        let taken = clock.measure { named = Suspects.mentioned(resources, in: message) }
        #expect(named.map(\.name) == ["service-77"])
        // It took seconds when each name was looked for at every byte.
        #expect(taken < .seconds(5), "\(taken)")
    }

    @Test func `words that all begin as a name does are not looked through without end`() {
        let resource = Resource(type: .cluster, name: "service", message: [])
        func isNamed(after count: Int) -> Bool {
            let message = String(repeating: "s ", count: count) + "service"
            return !Suspects.mentioned([resource], in: Suspects.excerpt(message)).isEmpty
        }
        #expect(isNamed(after: 100))
        #expect(!isNamed(after: 500))
    }

    @Test(arguments: [["a", "b"], ["a", "b", "c"]])
    func `names of two types that are, or begin with, the same are known again`(others: [String]) throws {
        func bytes(_ type: TypeURL, _ names: [String]) throws -> [UInt8] {
            try Envoy_Service_Discovery_V3_DiscoveryRequest.with {
                $0.typeURL = type.rawValue
                $0.resourceNames = names
            }.serializedBytes()
        }
        let names = [TypeURL.cluster: others, .endpoints: ["a", "b"]]
        var known: [TypeURL: [UInt8]] = [:]
        for (type, names) in names {
            known[type] = Array(try RequestMessage(try bytes(type, names), variant: .sotw).namesBytes)
        }
        for (type, names) in names {
            let again = try RequestMessage(try bytes(type, names), variant: .sotw, known: known)
            #expect(again.repeatsNames(of: type))
            let others = try RequestMessage(try bytes(type, names + ["d"]), variant: .sotw, known: known)
            #expect(!others.repeatsNames(of: type))
            #expect(try others.sotw(as: type).resourceNames?.count == names.count + 1)
        }
    }

    @Test
    func `what a client says that it holds is kept of the first request only, and held against the limits of all`()
        throws
    {
        let long = String(repeating: "n", count: 5_000)
        func message(_ names: String...) throws -> RequestMessage {
            let request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.with {
                $0.typeURL = TypeURL.cluster.rawValue
                for name in names { $0.initialResourceVersions[name] = "1" }
            }
            return try RequestMessage(try request.serializedBytes(), variant: .delta)
        }
        let first = try message("a", "b", "longer").delta(as: .cluster)
        #expect(first.initialResourceVersions == ["a": "1", "b": "1", "longer": "1"])
        let later = try message("a", "b", "longer").delta(as: .cluster, isFirst: false)
        #expect(later.initialResourceVersions.keys.sorted() == ["longer"])
        #expect(try message().delta(as: .cluster, isFirst: false).initialResourceVersions.isEmpty)
        var machine = StreamStateMachine(variant: .delta)
        #expect(machine.received(first).isEmpty)
        #expect(machine.received(later).isEmpty)
        let actions = machine.received(try message("a", long, "b").delta(as: .cluster, isFirst: false))
        guard case .close(.resourceExhausted)? = actions.first else {
            Issue.record("a long name is taken")
            return
        }
    }
}
