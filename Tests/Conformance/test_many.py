"""Much of everything: two thousand services, and what a change of one of them costs.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import json

from case import ConformanceTest, over
from client import AGGREGATED, ALL, DELTA, SOTW
from resources import CDS, EDS, LDS, RDS

NAMES = [f"service-{number:04}" for number in range(2_000)]


class Scale(ConformanceTest):
    @over(ALL)
    def test_two_thousand_clusters(self):
        """«It must resend all 100 of them»; in incremental, «only deliver the single cluster that changed»."""
        self.world.add(CDS, *NAMES)
        client = self.client()
        client.subscribe(CDS)
        taken = client.holding(CDS, self.world.of(CDS))
        if self.variant in SOTW:
            self.assertEqual(len(taken), 1, "all of it in one response")
        self.world.change(CDS, NAMES[1000])
        response = client.take(CDS)
        self.assertEqual(client.held(CDS), self.world.of(CDS))
        self.assertEqual(len(response.resources), 1 if self.variant in DELTA else 2_000)
        client.quiet()

    @over(ALL)
    def test_two_thousand_assignments_by_name(self):
        """All are asked for in a request, all of them change, and then one."""
        self.world.add(EDS, *NAMES)
        client = self.client()
        client.subscribe(EDS, *NAMES)
        client.holding(EDS, self.world.of(EDS))
        self.world.change(EDS, *NAMES)
        client.holding(EDS, self.world.of(EDS))
        self.world.change(EDS, NAMES[1000])
        response = client.take(EDS)
        self.assertEqual(client.held(EDS), self.world.of(EDS))
        if self.variant in DELTA:
            self.assertEqual(len(response.resources), 1)
        client.quiet()

    @over(ALL)
    def test_a_thousand_of_the_others(self):
        """Listeners and routes."""
        self.world.add(LDS, *NAMES[:1000])
        self.world.add(RDS, *NAMES[:1000])
        client = self.client()
        client.subscribe(LDS)
        client.subscribe(RDS, *NAMES[:1000])
        client.holding(LDS, self.world.of(LDS))
        client.holding(RDS, self.world.of(RDS))

    @over(ALL)
    def test_half_of_everything_goes_and_comes(self):
        """Removals by the thousand."""
        self.world.add(CDS, *NAMES)
        client = self.client()
        client.subscribe(CDS)
        client.holding(CDS, self.world.of(CDS))
        self.world.remove(CDS, *NAMES[::2])
        client.holding(CDS, self.world.of(CDS))
        self.world.add(CDS, *NAMES[::2])
        client.holding(CDS, self.world.of(CDS))
        client.quiet()

    @over(AGGREGATED)
    def test_the_endpoints_of_two_thousand_clusters_follow_them(self):
        """«Warming of Cluster is completed only when a new ClusterLoadAssignment response is supplied.»"""
        self.world.add(CDS, *NAMES)
        client = self.client()
        client.subscribe(CDS)
        client.holding(CDS, self.world.of(CDS))
        client.subscribe(EDS, *NAMES)
        client.holding(EDS, self.world.of(EDS))
        self.world.change(CDS, *NAMES)
        client.holding(CDS, self.world.of(CDS))
        followed = set()
        while len(followed) < len(NAMES):
            followed |= client.take(EDS).names
        client.quiet()

    @over(ALL)
    def test_a_service_of_ten_thousand_endpoints(self):
        """«All of the protocol variants operate on units of whole named resources.»"""
        endpoints = [{"address": f"10.{number >> 8}.{number & 255}.1", "port": 80} for number in range(10_000)]
        state = {"services": [{"name": "a", "connect_timeout_ms": 1, "endpoints": endpoints}],
                 "listeners": [], "routes": []}
        self.assertEqual(self.server.put(json.dumps(state).encode()), 200)
        client = self.client()
        client.subscribe(EDS, "a")
        assignment = client.take(EDS).resources["a"]
        self.assertEqual(sum(len(group.lb_endpoints) for group in assignment.endpoints), 10_000)

    @over(DELTA)
    def test_two_thousand_requests_without_waiting(self):
        """A client may ask for each name in a request of its own."""
        self.world.add(EDS, *NAMES)
        client = self.client()
        for name in NAMES:
            client.subscribe(EDS, name)
        client.holding(EDS, self.world.of(EDS))
