"""NACK: the answers that were in the response beside what a client refuses, and what is sent without being asked for.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import AGGREGATED, DELTA
from resources import CDS, EDS, KINDS


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
    def test_endpoints_that_a_cluster_waits_for_come_though_those_beside_them_are_refused(self):
        """«EDS updates must arrive after CDS updates for the respective clusters.»"""
        client = self.proxy()
        with self.world.together():
            self.world.change(CDS, "a", "b")
            self.world.change(EDS, "b")
        client.take(CDS)
        response = client.expect(EDS)
        self.assertEqual(response.names, {"a", "b"})
        client.nack(response)
        self.assertEqual(client.take(EDS).content, self.world.of(EDS, "a"))
        client.quiet()

    @over(AGGREGATED)
    def test_a_cluster_that_changes_is_followed_by_endpoints_that_were_not_refused(self):
        """As above; and «the management server should only send updates when the resources have changed»."""
        client = self.proxy()
        good = self.world.of(EDS, "a")
        self.world.change(EDS, "a")
        client.nack(client.expect(EDS))
        client.quiet()
        self.world.change(CDS, "a")
        client.take(CDS)
        self.assertEqual(client.take(EDS).content, good)
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_missing_name_is_told_though_what_is_beside_it_is_refused(self, kind):
        """«When a resource subscribed to by a client does not exist, the server will send a DeltaDiscoveryResponse
        message that contains that resource's name in the removed_resources field.»"""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "a", "missing")
        response = client.expect(kind)
        self.assertEqual((response.names, response.removed), ({"a"}, ["missing"]))
        client.nack(response)
        response = client.take(kind)
        self.assertEqual((response.names, response.removed), (set(), ["missing"]))
        client.quiet()

    @over(DELTA, KINDS)
    def test_what_is_asked_for_again_comes_though_what_is_beside_it_is_refused(self, kind):
        """«The server must still provide those resources in the response.»"""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))
        client.subscribe(kind, "a", "b")
        response = client.expect(kind)
        self.assertEqual(response.names, {"a", "b"})
        client.nack(response)
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        client.quiet()
