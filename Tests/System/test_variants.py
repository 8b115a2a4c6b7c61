"""Envoy is configured over each of the four ways that xDS can be spoken, and splits as the file says."""

from rig.case import SystemTest
from rig.traffic import burst

REQUESTS = 10_000  # a 90/10 split of so many has a sigma of 0.3 percentage points


class Variants(SystemTest):
    def routes_over(self, method, variant, *flags):
        self.canary(stable=90, canary=10)
        signalbox = self.signalbox()
        envoy = self.envoy(signalbox, *flags)
        envoy.wait_route(self.port, "web.example.com")

        load = burst(self.port, "web.example.com", REQUESTS)
        self.assert_none_failed(load, REQUESTS)
        share = 100 * load.shares()["canary"]
        self.note(f"canary {share:.2f} %")
        self.assertAlmostEqual(share, 10, delta=1)

        streams = signalbox.streams("edge-1")
        self.assertEqual({stream["variant"] for stream in streams}, {variant})
        for stream in streams:
            self.assertIn(method, stream["method"])
        self.assertEqual(signalbox.state()["rejections"], [])
        signalbox.wait_settled("edge-1")
        return streams

    def test_delta_ADS(self):
        self.assertEqual(len(self.routes_over("DeltaAggregatedResources", "delta")), 1)

    def test_SotW_ADS(self):
        self.assertEqual(len(self.routes_over("StreamAggregatedResources", "sotw", "--sotw")), 1)

    def test_delta_per_type(self):
        self.assertGreaterEqual(len(self.routes_over("Delta", "delta", "--per-type")), 4)

    def test_SotW_per_type(self):
        self.assertGreaterEqual(len(self.routes_over("Stream", "sotw", "--per-type", "--sotw")), 4)
