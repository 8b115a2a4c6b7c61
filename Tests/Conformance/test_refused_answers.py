"""NACK: the answers that were in the response beside what a client refuses, and what is sent without being asked for.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import AGGREGATED
from resources import CDS, EDS


class RefusedAnswers(ConformanceTest):
    def proxy(self):
        """A client that holds two clusters and their endpoints."""
        self.world.add(CDS, "a", "b")
        client = self.client()
        client.subscribe(CDS)
        client.holding(CDS, self.world.of(CDS))
        client.subscribe(EDS, "a", "b")
        client.holding(EDS, self.world.of(EDS))
        client.settle()
        return client

    @over(AGGREGATED)
    def test_a_cluster_that_changes_is_followed_by_endpoints_that_were_not_refused(self):
        """«The management server should only send updates when the resources have changed»."""
        client = self.proxy()
        good = self.world.of(EDS, "a")
        self.world.change(EDS, "a")
        client.nack(client.expect(EDS))
        client.quiet()
        self.world.change(CDS, "a")
        client.take(CDS)
        self.assertEqual(client.take(EDS).content, good)
        client.quiet()
