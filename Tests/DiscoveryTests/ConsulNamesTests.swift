// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import Testing

@testable import Discovery

/// Whoever may register a service chooses its name.
@Suite struct ConsulNamesTests {
    @Test(arguments: ["web", "web.v1", "WEB", "a b", "évil", "a/b", "%41", "{{x}}", "a?b=c#d", "...", "web/"])
    func `Consul can be asked for it`(name: String) {
        #expect(ConsulSelection.canBeAsked(name))
    }

    @Test(arguments: [
        "", "a\nb", "a\r\nHost: x", "a\0", "\u{7F}", "a\u{A0}b", "a\u{202E}b", ".", "..", "a/../b", "../../v1/kv/x",
        "/a",
        "a//b", String(repeating: "a", count: 256),
    ])
    func `nobody can ask Consul for it`(name: String) {
        #expect(!ConsulSelection.canBeAsked(name))
    }

    @Test func `services that cannot be asked for are named and cost nothing`() {
        var rig = ConsulRig()
        rig.change { model in
            for name in ["web", "evil\n", "a/../web", "b/../web"] { model.register(name, .init(node: "n1", id: "a")) }
        }
        rig.run(for: .seconds(2))
        #expect(rig.isComplete)
        #expect(rig.told.keys.map(\.rawValue) == ["web"])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        let names = rig.sent.compactMap { if case .service(let name) = $0.subject { name } else { nil } }
        #expect(Set(names) == ["web"])
        #expect(rig.findings.map(\.code) == ["SB312"])
        #expect(rig.findings.first?.message.contains("\"a/../web\"; it is left out (and 2 more services)") == true)
        rig.change { model in
            for name in ["evil\n", "a/../web", "b/../web"] { model.deregister("n1/a", of: name) }
        }
        rig.run(for: .seconds(1))
        #expect(rig.findings == [])
    }

    @Test func `an instance of a service that differs in case is none of ours`() throws {
        func entry(_ service: String) -> String {
            """
            {"Node": {"ID": "", "Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc1"}, "Checks": [],
             "Service": {"ID": "\(service)-1", "Service": "\(service)", "Tags": [], "Address": "", "Port": 80,
              "Weights": {"Passing": 1, "Warning": 1}}}
            """
        }
        let response = APIResponse(status: 200, body: ByteBuffer(string: "[\(entry("WEB")), \(entry("web"))]"))
        let query = ConsulQuery(.service("web"), datacenter: nil)
        let answer = try ConsulReader(ConsulConfiguration()).read(response, to: query)
        guard case .service(let reading) = answer.content else {
            Issue.record("no service")
            return
        }
        #expect(reading.instances.map(\.id.rawValue) == ["web-1"])
        #expect(reading.count == 1)
        #expect(reading.diagnostics.map(\.code) == ["SB312"])
    }
}
