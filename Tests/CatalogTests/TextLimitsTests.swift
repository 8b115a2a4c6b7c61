// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@Suite struct TextLimitsTests {
    private func admitted(_ tags: Set<String>) -> Set<String>? {
        let instance = Instance(
            id: InstanceID("web-1"),
            address: "10.0.0.1",
            port: 80,
            tags: tags,
            origin: Origin(file: "consul:dc1/web/web-1")
        )
        let service = Service(name: ServiceName("web"), instances: [instance], origin: instance.origin)
        return InputRules().admit(service, from: .consul).service?.instances.first?.tags
    }

    @Test func `a tag that is too long is left out, and what a route is about is not`() {
        let long = String(repeating: "x", count: 5_000)
        let condition = "signalbox.header.x-team=\(long)"
        #expect(self.admitted(["v1", long, condition, "bell\u{7}"]) == ["v1", condition])
    }

    @Test func `of too many tags those of routes stay`() {
        let many = Set((0..<600).map { "a\($0)" })
        let route: Set = ["signalbox.host=web.example.com", "signalbox.method=GET"]
        let tags = self.admitted(many.union(route)) ?? []
        #expect(tags.count == 512)
        #expect(tags.isSuperset(of: route))
    }
}
