// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// A `service-defaults` document beside entries that say something else.
struct EntrySettingsTests {
    @Test func `a ring size that a document passes over is told`() {
        var sample = ChainSample([
            entry(
                "service-resolver",
                "web",
                #"{"LoadBalancer": {"Policy": "ring_hash", "RingHashConfig": {"MinimumRingSize": 2048}}}"#
            )
        ])
        var document = ServiceDefaults(
            service: ServiceName("web"),
            loadBalancer: .ringHash,
            origin: Origin(file: "defaults.yaml")
        )
        sample.policy.serviceDefaults[document.service] = document
        #expect(sample.applied.diagnostics.findings == ["warning SB332 service-resolver/web"])
        document.loadBalancerOptions.minimumRingSize = 2048
        sample.policy.serviceDefaults[document.service] = document
        #expect(sample.applied.diagnostics == [])
    }
}
