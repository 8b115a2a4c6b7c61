// SPDX-License-Identifier: Apache-2.0

import Routing
import Testing

struct ProxySelectorTests {
    @Test(arguments: [
        (ProxySelector(), true),
        (ProxySelector(ids: ["edge-1"]), true),
        (ProxySelector(ids: ["edge-2"]), false),
        (ProxySelector(ids: ["edge-2", "edge-*"]), true),
        (ProxySelector(ids: ["*"]), true),
        (ProxySelector(ids: ["edge"]), false),
        (ProxySelector(clusters: ["front"]), true),
        (ProxySelector(clusters: ["back*"]), false),
        (ProxySelector(metadata: ["role": "edge"]), true),
        (ProxySelector(metadata: ["role": "edge", "zone": "a"]), false),
        (ProxySelector(ids: ["edge-1"], clusters: ["back"]), false),
        (ProxySelector(ids: ["edge-1"], clusters: ["front"], metadata: ["role": "edge"]), true),
    ])
    func `every part that is given must hold`(selector: ProxySelector, selects: Bool) {
        #expect(selector.selects(id: "edge-1", cluster: "front", metadata: ["role": "edge"]) == selects)
    }
}
