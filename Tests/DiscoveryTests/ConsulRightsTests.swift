// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// A token that loses some of its rights: lists are then shorter, and do not say so.
struct ConsulRightsTests {
    private static func rig(_ configuration: ConsulConfiguration = .init(keyPrefix: "sb/")) -> ConsulRig {
        var rig = ConsulRig(configuration)
        rig.change { model in
            for name in ["api", "db", "web"] { model.register(name, .init(node: "n1", id: name)) }
            model.setEntries(["api", "web"], ofKind: "service-router")
            model.setKey("sb/a.yaml", "a")
            model.setKey("sb/b.yaml", "b")
        }
        rig.run(for: .seconds(3))
        return rig
    }

    private static func documents(_ rig: ConsulRig) -> [FileChange] {
        rig.events.flatMap { event -> [FileChange] in if case .documents(let changes, _) = event { changes } else { [] }
        }
    }

    private static func entries(_ rig: ConsulRig) -> [String]? {
        rig.events.compactMap { if case .configEntries(let all, _) = $0 { all.map(\.key.name) } else { nil } }.last
    }

    @Test(arguments: ["sb/", "sb/a"])
    func `documents that may not be read any more stay, and somebody is told`(prefix: String) {
        var rig = Self.rig()
        rig.change { model in
            model.forbidden = [prefix]
            // It wakes the question, and the answer has a new index.
            model.setKey("sb/a.yaml", "changed")
        }
        rig.run(for: .seconds(120))
        #expect(!Self.documents(rig).contains { $0.content == .removed })
        #expect(rig.findings.map(\.code) == ["SB353"])
        #expect(rig.findings.first?.message.contains("stays in force") == true)
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.findings == [])
        #expect(Self.documents(rig).last?.content == .bytes(Array("changed".utf8)))
    }

    @Test func `documents that are all deleted are gone`() {
        var rig = Self.rig()
        rig.change { model in
            model.setKey("sb/a.yaml", nil)
            model.setKey("sb/b.yaml", nil)
        }
        rig.run(for: .seconds(1))
        #expect(Self.documents(rig).count { $0.content == .removed } == 2)
    }

    /// What was there before the restart is not known, and is stored elsewhere.
    @Test func `that there are no documents is not believed of a token that may not read them`() {
        var rig = ConsulRig(.init(followsConfigEntries: false, keyPrefix: "sb/"))
        rig.change { $0.forbidden = ["sb/"] }
        rig.run(for: .seconds(30))
        #expect(!rig.events.contains { if case .documents = $0 { true } else { false } })
        #expect(rig.findings.map(\.code) == ["SB353"] && rig.guarded.held == [])
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.events.contains { if case .documents([], _) = $0 { true } else { false } })
    }

    @Test(arguments: [true, false])
    func `a start that waits for documents says so everywhere`(isStored: Bool) {
        var rig = ConsulRig(
            .init(followsConfigEntries: false, keyPrefix: "sb/"),
            knowing: .init(parts: isStored ? [.documents] : [])
        )
        rig.change { model in
            model.register("web", .init(node: "n1", id: "web"))
            model.forbidden = ["sb/"]
        }
        rig.run(for: .seconds(30))
        #expect(rig.isSettled)
        #expect(rig.status?.state == .suspect)
        // With it the clock of the services goes on.
        #expect(rig.status?.reason == "partial")
        let said = isStored ? "what was stored of them stands in" : "the start waits for them"
        #expect(
            rig.status?.problem?.hasPrefix("the documents below the key sb/ ") == true
                && rig.status?.problem?.contains(said) == true
                && rig.status?.problem?.contains("key:list on the prefix sb/, or correct consul.kv.prefix") == true
        )
        #expect(rig.findings.map(\.severity) == [isStored ? .warning : .error])
        #expect(rig.findings.map(\.subject) == ["key/sb/"])
        #expect(rig.findings.first?.message.contains(said) == true)
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        #expect(rig.findings == [])
        // What was read once is in force.
        rig.change { model in
            model.setKey("sb/a.yaml", "a")
            model.forbidden = ["sb/"]
            model.setKey("sb/a.yaml", "b")
        }
        rig.run(for: .seconds(30))
        #expect(rig.status?.state == .up)
    }

    /// It is no word about the rights, and the clock of the others goes on.
    @Test func `a service that is said to be there, and listed and shown no more, stays and alarms nobody`() {
        var rig = Self.rig()
        rig.change { model in
            model.ghosts = ["web"]
            model.setStatus(.critical, of: "n1/web", in: "web")
            model.deregister("n1/db", of: "db")
        }
        rig.run(for: .seconds(120))
        #expect(rig.told.keys.map(\.rawValue).sorted() == ["api", "web"])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `config entries of services that may not be read any more stay`() {
        var rig = Self.rig()
        rig.change { model in
            model.forbidden = ["web"]
            model.setEntries(["api", "web", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(120))
        #expect(Self.entries(rig) == ["api", "new", "web"])
        #expect(rig.findings.map(\.code) == ["SB353"])
        rig.change { model in
            model.forbidden = []
            model.setEntries(["api"], ofKind: "service-router")
        }
        rig.run(for: .seconds(15))
        #expect(Self.entries(rig) == ["api"])
        #expect(rig.findings == [])
    }

    @Test func `a config entry that cannot be read stays as it was, and is named`() {
        var rig = Self.rig()
        rig.change { model in
            model.broken = ["web"]
            model.setEntries(["web", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(5))
        #expect(Self.entries(rig) == ["new", "web"])
        #expect(rig.findings.map(\.code) == ["SB353"])
        #expect(rig.findings.first?.message.contains("service-router cannot be read") == true)
        #expect(rig.findings.first?.message.hasSuffix("web") == true)
        rig.change { model in
            model.broken = []
            model.setEntries(["new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(5))
        #expect(Self.entries(rig) == ["new"])
        #expect(rig.findings == [])
    }

    @Test func `a service that may not be read any more stays, and those that are gone go`() {
        var rig = Self.rig()
        rig.change { model in
            model.forbidden = ["web"]
            model.deregister("n1/db", of: "db")
        }
        rig.run(for: .seconds(120))
        #expect(rig.told.keys.map(\.rawValue).sorted() == ["api", "web"])
        #expect(rig.told[ServiceName("web")]?.instances.count == 1)
        #expect(rig.status?.state == .suspect)
        #expect(rig.status?.reason == "acl")
        #expect(rig.status?.problem?.contains("web") == true)
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(65))
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        #expect(rig.isSettled)
        rig.change { $0.deregister("n1/web", of: "web") }
        rig.run(for: .milliseconds(300))
        #expect(rig.isSettled)
    }

    @Test func `another token is tried at once, though nothing changes in Consul`() {
        var rig = Self.rig()
        rig.change { model in
            model.token = 1
            model.forbidden = ["web", "api", "sb/"]
        }
        rig.run(for: .seconds(6))
        #expect(rig.told.keys.map(\.rawValue).sorted() == ["api", "db", "web"])
        #expect(rig.status?.problem?.hasPrefix("the token may not read the services api, web any more") == true)
        #expect(rig.findings.contains { $0.subject == "key/sb/" })
        rig.change { model in
            model.token = 2
            model.forbidden = []
        }
        rig.run(for: .seconds(6))
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        #expect(rig.findings == [])
        let before = rig.counts[.resynchronization]
        rig.run(for: .seconds(60))
        #expect(rig.counts[.resynchronization] == before)
    }

    @Test func `rights that were lost before nothing answered are found to be back`() {
        var rig = ConsulRig(.init(keyPrefix: "sb/"))
        rig.change { model in
            for number in 0..<60 { model.register("s\(number)", .init(node: "n1", id: "a")) }
            model.setKey("sb/a.yaml", "a")
        }
        rig.run(for: .seconds(5))
        rig.change { $0.rights = .none }
        rig.change { $0.register("s1", .init(node: "n1", id: "a", weight: 2)) }
        rig.run(for: .seconds(2))
        #expect(rig.status?.state == .suspect)
        rig.isDown = true
        rig.disconnect()
        rig.run(for: .seconds(2))
        #expect(rig.status?.state == .down)
        rig.change { model in
            model.register("s50", .init(node: "n1", id: "a", weight: 7))
            model.rights = .all
        }
        rig.isDown = false
        rig.run(for: .seconds(5))
        #expect(rig.isSettled)
    }

    @Test func `a token that is replaced while nothing answers is another token, too`() {
        var rig = Self.rig()
        rig.errorRate = 1
        rig.run(for: .seconds(5))
        #expect(rig.status?.state == .down)
        rig.change { model in
            model.token = 1
            model.forbidden = ["web"]
        }
        rig.errorRate = 0
        rig.run(for: .seconds(6))
        #expect(rig.status?.problem?.hasPrefix("the token may not read the service web any more") == true)
    }

    @Test func `up to ten services that are lost are named, and that they may need either right`() {
        var rig = ConsulRig()
        rig.change { model in
            for number in 10..<25 { model.register("s\(number)", .init(node: "n1", id: "a")) }
            model.hidden = Set((10..<25).map { "s\($0)" })
        }
        rig.run(for: .seconds(20))
        let problem = rig.status?.problem ?? ""
        #expect(problem.hasPrefix("the services s10, s11, s12, s13, s14, s15, s16, s17, s18, s19 and 5 more: listed"))
        #expect(problem.contains("service:read") && problem.contains("node:read"))
    }

    @Test func `hundreds of services that are gone are asked about a few at a time`() {
        var rig = ConsulRig()
        rig.change { model in
            for number in 0..<500 { model.register("s\(number)", .init(node: "n1", id: "a")) }
        }
        rig.run(for: .seconds(10))
        rig.change { model in
            for number in 1..<500 { model.deregister("n1/a", of: "s\(number)") }
        }
        rig.run(for: .seconds(10))
        #expect(rig.isSettled)
        #expect(rig.mostInFlight <= ConsulConfiguration.maximumConnections)
    }

    /// A question that waits keeps the rights that it began with, and these may have been lost and given back meanwhile.
    @Test func `a service that is there is not gone because a list lacks it`() {
        var missing = ConsulMissing()
        var effects = ConsulEffects(seed: 1)
        func asked() -> [ConsulRequestID] {
            missing.ask(room: 6, in: nil, &effects)
            return effects.takeActions().compactMap { if case .send(let id, _) = $0 { id } else { nil } }
        }
        /// The services that are gone.
        func answer(isThere: Bool) -> [String] {
            asked().compactMap {
                if case .gone(let name) = missing.answered($0, isThere: isThere, &effects) { name } else { nil }
            }
        }
        var isNew = missing.compare(["web"], effects) { _ in false }
        #expect(isNew)
        var gone = answer(isThere: false) + answer(isThere: true)
        #expect(gone == [])
        effects.now = .seconds(1)
        let isListWanted = missing.wake(at: effects.now)
        #expect(isListWanted)
        var more = asked()
        #expect(more == [])
        // The new list lacks it, too.
        isNew = missing.compare(["web"], effects) { _ in false }
        #expect(!isNew)
        gone = answer(isThere: false)
        #expect(gone == [])
        gone = answer(isThere: false)
        #expect(gone == ["web"])
        more = asked()
        #expect(more == [])
        #expect(missing.due == nil)
    }

    @Test func `hundreds that may not be read any more are asked about a few at a time, and seldom`() {
        var rig = ConsulRig()
        rig.change { model in
            for number in 0..<300 { model.register("s\(number)", .init(node: "n1", id: "a")) }
        }
        rig.run(for: .seconds(10))
        rig.change { model in
            model.forbidden = ["s"]
            model.register("new", .init(node: "n1", id: "a"))
        }
        rig.run(for: .seconds(10))
        let before = rig.sent.count
        rig.run(for: .seconds(100))
        let asked = rig.sent[before...].count { if case .entry = $0.subject { true } else { false } }
        #expect(asked < 150)
        #expect(rig.told.count == 301)
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(70))
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `instances on nodes that may not be read any more stay, if the server says that it left some out`() {
        var rig = Self.rig()
        rig.change { $0.register("web", .init(node: "n2", id: "far")) }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["node:n2"]
            model.setStatus(.critical, of: "n1/web", in: "web")
        }
        rig.run(for: .seconds(100))
        let told = rig.told[ServiceName("web")]?.instances ?? []
        #expect(told.map { "\($0.id) \($0.health)" } == ["n1/web critical", "n2/far passing"])
        #expect(rig.status?.state == .suspect)
        #expect(rig.status?.reason == "acl")
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }
}
