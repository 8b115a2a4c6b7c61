// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import EnvoyAPI
import MetricsTestKit
import Testing
import XDSProtocol

@testable import XDSServer

@Suite(.timeLimit(.minutes(1))) struct MetricsTests {
    private let metrics = TestMetrics()
    private let log = EventLog()

    /// A registry whose metrics are this test's own.
    private var registry: StreamRegistry {
        withMetricsFactory(self.metrics) { StreamRegistry(logger: self.log.logger) }
    }

    private func requests(_ type: String, _ kind: String) -> Int64 {
        self.metrics.counterTotal(
            label: "signalbox_xds_requests_total",
            dimensions: [("type", type), ("kind", kind)]
        )
    }

    private func total(_ name: String, _ type: String) -> Int64 {
        self.metrics.counterTotal(label: "signalbox_xds_\(name)_total", dimensions: [("type", type)])
    }

    private func streams(_ variant: String) -> [Double] {
        self.metrics.meters(label: "signalbox_xds_streams", dimensions: [("variant", variant)])
            .compactMap(\.lastValue)
    }

    @Test func `every series is there from the start`() {
        _ = self.registry
        let types = TypeURL.known.map(\.shortName) + ["other"]
        #expect(self.metrics.counters(label: "signalbox_xds_requests_total").count == types.count * 4)
        for name in ["responses", "resources_sent", "nack"] {
            let series = self.metrics.counters(label: "signalbox_xds_\(name)_total")
            #expect(series.compactMap { $0.dimensions.first?.1 }.sorted() == types.sorted())
        }
        #expect(self.streams("sotw") == [0])
        #expect(self.streams("delta") == [0])
    }

    @Test func `requests, responses, resources and NACKs are counted, by type`() async throws {
        let world = TestWorld([.cluster: ["a": "1", "b": "1"], .endpoints: ["a": "1"]])
        try await Rig.serving(world, log: self.log, registry: self.registry) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                let clusters = try await proxy.response()
                proxy.ack(clusters)
                proxy.ask(.endpoints, for: "a")
                let endpoints = try await proxy.response()
                var stale = endpoints
                stale.nonce = "older"
                proxy.ack(stale)
                proxy.nack(endpoints, "no")
                await self.log.waits(for: "proxy rejected resources")

                #expect(self.requests("CDS", "subscribe") == 1)
                #expect(self.requests("CDS", "ack") == 1)
                #expect(self.requests("CDS", "nack") == 0)
                #expect(self.requests("EDS", "subscribe") == 1)
                #expect(self.requests("EDS", "stale") == 1)
                #expect(self.requests("EDS", "nack") == 1)
                #expect(self.total("responses", "CDS") == 1)
                #expect(self.total("resources_sent", "CDS") == 2)
                #expect(self.total("responses", "EDS") == 1)
                #expect(self.total("resources_sent", "EDS") == 1)
                #expect(self.total("nack", "CDS") == 0)
                #expect(self.total("nack", "EDS") == 1)
                #expect(self.total("responses", "LDS") == 0)
            }
        }
    }

    @Test func `open streams are counted, by variant`() async throws {
        try await Rig.serving(TestWorld([:]), log: self.log, registry: self.registry) { rig in
            try await rig.converse(.deltaADS) { (_: inout DeltaConversation) in
                try await rig.converse(.deltaADS) { (_: inout DeltaConversation) in
                    try await rig.converse(.sotwADS) { (_: inout SotWConversation) in
                        #expect(self.streams("delta") == [2])
                        #expect(self.streams("sotw") == [1])
                    }
                }
            }
            await self.log.waits(for: "stream closed", times: 3)
            #expect(self.streams("delta") == [0])
            #expect(self.streams("sotw") == [0])
        }
    }

    @Test func `a type that nobody knows is counted as other`() async throws {
        try await Rig.serving(TestWorld([:]), log: self.log, registry: self.registry) { rig in
            _ = try await rig.firstDelta(.other("type.googleapis.com/acme.Thing"), "x")
            #expect(self.requests("other", "subscribe") == 1)
            #expect(self.total("responses", "other") == 1)
        }
    }

    @Test func `a fetch is counted as a response`() async throws {
        try await Rig.serving(TestWorld([.secret: ["s": "1"]]), log: self.log, registry: self.registry) { rig in
            _ = try await rig.fetch(
                .ask(.secret, for: ["s"], as: "proxy"),
                from: DiscoveryMethod.SDS.FetchSecrets.descriptor
            )
            #expect(self.total("responses", "SDS") == 1)
            #expect(self.total("resources_sent", "SDS") == 1)
        }
    }
}
