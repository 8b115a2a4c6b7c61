// SPDX-License-Identifier: Apache-2.0

import Catalog
import Documents
import TestSupport
import Testing
import XDSProtocol

/// What was found by fuzzing or by looking for it, and is to stay found.
@Suite struct CrasherTests {
    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `a node in many pieces takes time proportional to its length`(variant: StreamStateMachine.Variant) throws {
        let field: UInt64 = variant == .sotw ? 2 : 1
        let large = WireFields.field(field, Array(repeating: 0, count: 1 << 20))
        let pieces = repeatElement(WireFields.field(field, [0]), count: 20_000).joined()
        var node: [UInt8]?
        let time = try CPUTime.of { node = try RequestMessage(large + pieces, variant: variant).node }
        #expect(node?.count == (1 << 20) + 20_000)
        #expect(time < .milliseconds(500))
    }

    @Test func `what stands between names is read, also if the names are known`() throws {
        let type = Array(TypeURL.endpoints.rawValue.utf8)
        let name = WireFields.field(3, Array("a".utf8))
        let bytes = name + WireFields.field(4, type) + WireFields.field(5, Array("7".utf8)) + name
        let first = try RequestMessage(bytes, variant: .sotw)
        let again = try RequestMessage(bytes, variant: .sotw, known: [.endpoints: Array(first.namesBytes)])
        #expect(try again.typeURL == TypeURL.endpoints.rawValue)
        let request = try again.sotw(as: .endpoints)
        #expect(request.responseNonce == "7")
        #expect(request.resourceNames == ["a", "a"])
    }

    @Test func `a host of very many labels takes time proportional to its length`() {
        var machine = StreamStateMachine(variant: .delta)
        _ = machine.snapshotChanged(Snapshot(1, [.virtualHost: ["rc/*": "any"]]), changes: nil)
        let name = ResourceName("rc/" + String(repeating: "a.", count: 2_000) + "com")
        var actions: [StreamStateMachine.Action] = []
        let time = CPUTime.of { actions = machine.received(DeltaRequest(type: .virtualHost, subscribe: [name])) }
        guard case .respond(let response)? = actions.first else {
            Issue.record("it is not answered")
            return
        }
        #expect(response.resources.map(\.name) == ["rc/*"])
        #expect(response.aliases == ["rc/*": [name]])
        #expect(time < .milliseconds(10))
    }

    @Test func `a name of more than 4096 bytes ends the stream`() {
        let name = ResourceName(String(repeating: "a", count: 4_097))
        var machine = StreamStateMachine(variant: .delta)
        let actions = machine.received(DeltaRequest(type: .endpoints, subscribe: [name]))
        #expect(actions == [.close(.resourceExhausted("a name of more than 4096 bytes"))])
    }

    @Test func `a virtual host that changed and is asked for under another name is sent once`() {
        var machine = StreamStateMachine(variant: .delta)
        let request = DeltaRequest(type: .virtualHost, subscribe: ["rc/x.example.com"])
        _ = machine.snapshotChanged(Snapshot(1, [.virtualHost: ["rc/*": "old"]]), changes: nil)
        guard case .respond(let first)? = machine.received(request).first else {
            Issue.record("it is not answered")
            return
        }
        _ = machine.snapshotChanged(Snapshot(2, [.virtualHost: ["rc/*": "new"]]), changes: nil)
        var again = request
        again.responseNonce = first.nonce
        guard case .respond(let response)? = machine.received(again).first else {
            Issue.record("it is not answered")
            return
        }
        #expect(response.resources.map(\.name) == ["rc/*"])
    }

    @Test func `a proxy's words are looked at up to a length, whatever they are made of`() throws {
        var envoy = FakeEnvoy(.delta)
        let contents = (0..<200).map { ("cluster-\($0)", "content") }
        envoy.publish(Snapshot(1, [.cluster: Dictionary(uniqueKeysWithValues: contents)]))
        envoy.subscribe(.cluster)
        // One character.
        let words = "e" + String(repeating: "\u{301}", count: 200_000)
        let time = CPUTime.of { _ = envoy.nack(.cluster, words) }
        #expect(time < .seconds(1))
        #expect(envoy.rejections.count == 1)
    }

    @Test func `the names of a stream stay bounded when one implies another`() {
        var limits = StreamStateMachine.Limits()
        limits.subscriptions = 10
        var machine = StreamStateMachine(variant: .delta, limits: limits)
        _ = machine.snapshotChanged(Snapshot(1, [.virtualHost: ["rc/*": "any"]]), changes: nil)
        var nonce: Nonce = ""
        func subscribe(_ names: [ResourceName], _ dropped: [ResourceName]) -> Bool {
            let request = DeltaRequest(
                type: .virtualHost,
                subscribe: names,
                unsubscribe: dropped,
                responseNonce: nonce
            )
            for action in machine.received(request) {
                if case .respond(let response) = action { nonce = response.nonce }
                if case .close = action { return false }
            }
            return true
        }
        for _ in 0..<100 {
            #expect(subscribe(["rc/x.example.com"], []))
            #expect(subscribe([], ["rc/x.example.com", "rc/*"]))
        }
        #expect(!subscribe((0..<12).map { ResourceName("rc/\($0).example.com") }, []))
    }

    @Test(arguments: ["\\N", "\\L", "\\P", "\\n", "\\x1b", "\\x9b", "\\u202e"])
    func `a diagnostic is one line that no terminal obeys`(escape: String) {
        var set = DocumentSet()
        let text = "{kind: service, name: \"a\(escape)b\", instances: []}\n"
        _ = set.apply([FileChange(path: "a.yaml", content: .bytes(Array(text.utf8)))], at: .zero)
        #expect(!set.diagnostics.isEmpty)
        for scalar in set.diagnostics.map(\.description).joined().unicodeScalars {
            #expect((" "..."~").contains(scalar))
        }
    }
}
