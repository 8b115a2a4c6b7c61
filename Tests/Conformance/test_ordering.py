"""The order of types on an aggregated stream: make before break.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import AGGREGATED, DELTA, DeltaADS
from proxy import Proxy
from resources import CDS, EDS, KINDS, LDS, RDS


class Ordering(ConformanceTest):
    def proxy(self, **options):
        """A proxy that holds a listener whose routes lead to the service «old»."""
        with self.world.together():
            self.world.add(CDS, "old")
            self.world.add(LDS, "edge")
            self.world.add(RDS, "routes")
            self.world.point("routes", "old")
        proxy = Proxy(self.client(), **options)
        proxy.follow(lambda: self.holds(proxy, *KINDS))
        proxy.client.settle()
        proxy.came.clear()
        return proxy

    def holds(self, proxy, *kinds):
        return all(proxy.client.held(kind) == self.world.of(kind) for kind in kinds)

    def assert_in_order(self, proxy, *places):
        """Each of these happened, and in this order."""
        self.assertNotIn(None, places, proxy.came)
        self.assertEqual(sorted(set(places)), list(places), proxy.came)

    @over(AGGREGATED)
    def test_a_change_of_all_types_is_sent_clusters_endpoints_listeners_routes(self):
        """«CDS updates must always be pushed first. EDS updates must arrive after CDS updates for the respective
        clusters. LDS updates must arrive after corresponding CDS/EDS updates. RDS updates must arrive after.»"""
        proxy = self.proxy()
        with self.world.together():
            for kind, name in ((RDS, "routes"), (LDS, "edge"), (EDS, "old"), (CDS, "old")):
                self.world.change(kind, name)
        proxy.follow(lambda: self.holds(proxy, *KINDS))
        self.assert_in_order(proxy, *(
            proxy.when_sent(kind, name) for kind, name in ((CDS, "old"), (EDS, "old"), (LDS, "edge"), (RDS, "routes"))
        ))

    def exchange(self, proxy):
        """The service «new» takes the place of «old»."""
        with self.world.together():
            self.world.add(CDS, "new")
            self.world.point("routes", "new")
            self.world.remove(CDS, "old")

    @over(AGGREGATED)
    def test_a_service_is_there_before_a_route_leads_to_it_and_until_none_does(self):
        """«Traffic drop could have been avoided by providing a CDS/EDS update with both X and Y, then the RDS update
        repointing from X to Y and then a CDS/EDS update dropping X.»"""
        self.assert_made_before_broken(self.proxy())

    @over(AGGREGATED)
    def test_a_route_waits_for_endpoints_that_are_asked_for_after_the_ACK(self):
        """As above: «EDS updates must arrive after CDS updates», and a client that is accurate asks for them later."""
        self.assert_made_before_broken(self.proxy(hasty=True))

    def assert_made_before_broken(self, proxy):
        self.exchange(proxy)
        proxy.follow(lambda: self.holds(proxy, CDS, RDS) and "new" in proxy.client.held(EDS))
        self.assert_in_order(
            proxy, proxy.when_sent(CDS, "new"), proxy.when_sent(EDS, "new"), proxy.when_sent(RDS, "routes"),
            proxy.when_gone(CDS, "old"),
        )

    @over(AGGREGATED)
    def test_a_listener_comes_after_the_clusters_of_its_routes(self):
        """«RDS updates related to the newly added listeners must arrive after CDS/EDS/LDS updates.»"""
        proxy = self.proxy()
        with self.world.together():
            self.world.add(LDS, "second")
            self.world.listen("second", "more")
            self.world.add(RDS, "more")
            self.world.add(CDS, "new")
            self.world.point("more", "new")
        proxy.follow(lambda: self.holds(proxy, *KINDS))
        self.assert_in_order(
            proxy, proxy.when_sent(CDS, "new"), proxy.when_sent(EDS, "new"), proxy.when_sent(LDS, "second"),
            proxy.when_sent(RDS, "more"),
        )

    @over(AGGREGATED)
    def test_a_cluster_is_removed_after_the_listener_that_led_to_it(self):
        """«Stale CDS clusters and related EDS endpoints (ones no longer being referenced) can then be removed.»"""
        proxy = self.proxy()
        with self.world.together():
            self.world.remove(LDS, "edge")
            self.world.remove(RDS, "routes")
            self.world.remove(CDS, "old")
        proxy.follow(lambda: self.holds(proxy, CDS, LDS))
        self.assert_in_order(proxy, proxy.when_gone(LDS, "edge"), proxy.when_gone(CDS, "old"))

    @over(AGGREGATED)
    def test_a_cluster_is_not_removed_before_the_new_routes_are_accepted(self):
        """As above: a route is in force when the client says so."""
        proxy = self.proxy()
        self.exchange(proxy)
        while (response := proxy.client.expect()).kind is not RDS:
            proxy.answer(response)
        self.assertIn("old", proxy.client.held(CDS))
        proxy.client.quiet(CDS)
        proxy.answer(response)
        proxy.client.holding(CDS, self.world.of(CDS))

    @over(AGGREGATED)
    def test_endpoints_follow_a_change_of_their_cluster(self):
        """«Warming of Cluster is completed only when a new ClusterLoadAssignment response is supplied by management
        server even though there is no change in endpoints.»"""
        proxy = self.proxy()
        self.world.add(CDS, "other")
        proxy.follow(lambda: self.holds(proxy, CDS, EDS))
        proxy.client.settle()
        self.world.change(CDS, "old")
        proxy.client.take(CDS)
        response = proxy.client.take(EDS)
        self.assertEqual(response.content["old"], self.world.of(EDS)["old"])
        if self.variant in DELTA:
            self.assertEqual(response.names, {"old"}, "the other cluster did not change")
        proxy.client.quiet()

    @over(AGGREGATED)
    def test_endpoints_follow_a_change_of_their_cluster_asked_for_by_name(self):
        """As above, for a client like gRPC's."""
        self.world.add(CDS, "a", "b")
        client = self.client()
        for kind in (CDS, EDS):
            client.subscribe(kind, "a", "b")
            client.holding(kind, self.world.of(kind))
        self.world.change(CDS, "b")
        client.take(CDS)
        self.assertIn("b", client.take(EDS).names)
        client.quiet()

    @over(AGGREGATED)
    def test_endpoints_follow_when_cluster_and_endpoints_change_together(self):
        """Once, with the new content."""
        proxy = self.proxy()
        with self.world.together():
            self.world.change(CDS, "old")
            self.world.change(EDS, "old")
        proxy.follow(lambda: self.holds(proxy, *KINDS))
        self.assertEqual([each.kind for each in proxy.came], [CDS, EDS])
        proxy.client.quiet()

    @over(AGGREGATED)
    def test_endpoints_alone_change_alone(self):
        """«xDS updates can be pushed independently if no new clusters/routes/listeners are added.»"""
        proxy = self.proxy()
        self.world.change(EDS, "old")
        proxy.follow(lambda: self.holds(proxy, *KINDS))
        self.assertEqual([each.kind for each in proxy.came], [EDS])
        proxy.client.quiet()

    @over((DeltaADS,))
    def test_endpoints_are_removed_after_their_cluster(self):
        """«Stale CDS clusters and related EDS endpoints (ones no longer being referenced) can then be removed.»"""
        self.world.add(CDS, "a", "b")
        client = self.client()
        for kind in (CDS, EDS):
            client.subscribe(kind, "a", "b")
            client.holding(kind, self.world.of(kind))
        self.world.remove(CDS, "b")
        for kind in (CDS, EDS):
            response = client.take()
            self.assertEqual((response.kind, response.removed), (kind, ["b"]))

    @over(AGGREGATED)
    def test_a_client_that_wants_one_type_does_not_wait_for_the_others(self):
        """The order is among what a client asked for."""
        self.world.fill("a")
        for kind in KINDS:
            client = self.client()
            client.subscribe(kind, "a")
            client.holding(kind, self.world.of(kind))
            with self.world.together():
                for each in KINDS:
                    self.world.change(each, "a")
            client.holding(kind, self.world.of(kind))

    @over(AGGREGATED)
    def test_a_refused_cluster_does_not_hold_up_other_services(self):
        """A refused response is answered, so what follows may go."""
        proxy = self.proxy()
        self.world.change(CDS, "old")
        proxy.client.nack(proxy.client.expect(CDS))
        with self.world.together():
            self.world.add(CDS, "new")
            self.world.point("routes", "new")
        proxy.follow(lambda: self.holds(proxy, RDS) and "new" in proxy.client.held(EDS))
        self.assert_in_order(
            proxy, proxy.when_sent(CDS, "new"), proxy.when_sent(EDS, "new"), proxy.when_sent(RDS, "routes"),
        )

    @over(AGGREGATED)
    def test_a_client_that_does_not_want_the_endpoints_of_a_cluster_gets_the_rest(self):
        """Not every cluster that a client is sent is one that it uses."""
        self.world.fill("a")
        client = self.client()
        for kind, names in ((CDS, []), (EDS, ["a"]), (LDS, []), (RDS, ["a"])):
            client.subscribe(kind, *names)
            client.holding(kind, self.world.of(kind))
        with self.world.together():
            self.world.add(CDS, "b")
            self.world.change(LDS, "a")
            self.world.change(RDS, "a")
        for kind in (CDS, LDS, RDS):
            client.holding(kind, self.world.of(kind))

    @over(AGGREGATED)
    def test_a_refused_new_listener_does_not_keep_clusters_that_nothing_leads_to(self):
        """«Stale CDS clusters (ones no longer being referenced) can then be removed»: a listener that the client never
        accepted refers to nothing."""
        proxy = self.proxy()
        self.world.add(CDS, "unused")
        proxy.follow(lambda: self.holds(proxy, CDS, EDS))
        self.world.add(LDS, "bad")
        proxy.client.nack(proxy.client.expect(LDS))
        proxy.client.settle()
        self.world.remove(CDS, "unused")
        proxy.client.holding(CDS, self.world.of(CDS))
