// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

/// What there is nothing to say about must not hold up what there is.
@Suite struct EmptyAnswerTests {
    @Test(
        arguments: [StreamStateMachine.Variant.sotw, .delta],
        [TypeURL.endpoints, .scopedRouteConfiguration, .secret]
    )
    func `a wildcard of nothing holds up no other type`(variant: StreamStateMachine.Variant, type: TypeURL) throws {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.listener: ["l": "1"], .routeConfiguration: ["r": "1"]]))
        envoy.subscribe(type, "*")
        envoy.subscribe(.listener)
        envoy.subscribe(.routeConfiguration, "r")
        envoy.settle()
        envoy.publish(Snapshot(2, [.listener: ["l": "2"], .routeConfiguration: ["r": "2"]]))
        envoy.settle()
        #expect(envoy.holds[.listener]?["l"] == Resource(.listener, "l", "2").version)
        #expect(envoy.holds[.routeConfiguration]?["r"] == Resource(.routeConfiguration, "r", "2").version)
    }
}
