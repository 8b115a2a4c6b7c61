"""What resources say, and that their names are what they were named.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import json

from case import ConformanceTest, over
from client import ALL, DELTA
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from resources import CDS, EDS, KINDS, LDS, RDS, ROOTS, manager_of

ODD = (
    "a/b/c", "/", "what?is=this&that#there", "[::1]:8080", "outbound|80|v1|reviews.default.svc.cluster.local", "日本語",
    "Ünïcödé", "👍🏽", "a b  c", " ", "%2F%00", "back\\slash", "\"quoted\" 'twice'", "tab\tand\nline", "a\0b",
    "\u00e9", "UPPER", "upper", "**", "*.example.com", "..", "-", "0", "null", "true", "x" * 500,
    "xdstp://authority/envoy.config.cluster.v3.Cluster/foo/bar?a=b#c",
)


class Content(ConformanceTest):
    @over(ALL)
    def test_a_service_is_a_cluster_that_takes_its_endpoints_from_this_server(self):
        """The name and the timeout are the state's, and the rest is what an EDS cluster needs."""
        self.world.add(CDS, "a")
        client = self.client()
        client.subscribe(CDS, "a")
        cluster = client.take(CDS).resources["a"]
        self.assertEqual((cluster.name, cluster.type), ("a", Cluster.EDS))
        self.assertEqual(cluster.connect_timeout.ToMilliseconds(), self.world.of(CDS)["a"])
        self.assertEqual(cluster.eds_cluster_config.eds_config.WhichOneof("config_source_specifier"), "ads")
        self.assertIn(cluster.eds_cluster_config.service_name, ("", "a"), "the assignment has the cluster's name")

    @over(ALL)
    def test_a_service_is_an_assignment_of_its_endpoints_in_their_order(self):
        """Each with its address and port."""
        endpoints = [{"address": f"10.1.2.{number}", "port": 65_535 - number} for number in range(5)]
        state = {"services": [{"name": "a", "connect_timeout_ms": 250, "endpoints": endpoints}],
                 "listeners": [], "routes": []}
        self.assertEqual(self.server.put(json.dumps(state).encode()), 200)
        client = self.client()
        client.subscribe(EDS, "a")
        assignment = client.take(EDS).resources["a"]
        sent = [each.endpoint.address.socket_address for group in assignment.endpoints for each in group.lb_endpoints]
        self.assertEqual([{"address": each.address, "port": each.port_value} for each in sent], endpoints)

    @over(ALL)
    def test_a_service_without_endpoints_is_an_empty_assignment(self):
        """«Warming of Cluster is completed only when a ClusterLoadAssignment response is supplied»: silence, or that
        there is none, is something else than that there is nobody."""
        self.world.add(CDS, "a", "b")
        self.world.vacate("a")
        client = self.client()
        client.subscribe(EDS, "a", "b")
        client.holding(EDS, self.world.of(EDS))
        self.world.vacate("b")
        client.holding(EDS, self.world.of(EDS))
        self.assertEqual(client.held(EDS), {"a": None, "b": None})
        self.world.change(EDS, "a")
        client.holding(EDS, self.world.of(EDS))
        client.quiet()

    @over(ALL)
    def test_a_listener_takes_its_routes_from_this_server(self):
        """Its port and the name of its route configuration are the state's."""
        self.world.add(LDS, "a")
        self.world.listen("a", "routes/of a")
        client = self.client()
        client.subscribe(LDS, "a")
        listener = client.take(LDS).resources["a"]
        self.assertEqual(listener.address.socket_address.port_value, self.world.of(LDS)["a"])
        manager = manager_of(listener)
        self.assertEqual(manager.rds.route_config_name, "routes/of a")
        self.assertEqual(manager.rds.config_source.WhichOneof("config_source_specifier"), "ads")
        self.assertTrue(manager.stat_prefix, "Envoy requires one")
        self.assertTrue(manager.http_filters[-1].typed_config.type_url.endswith(".router.v3.Router"))

    @over(ALL)
    def test_routes_are_the_virtual_hosts_of_the_state(self):
        """In their order, each with its domains and its one prefix."""
        hosts = [
            {"name": "one", "domains": ["one.example", "*.one.example"], "service": "a", "prefix": "/7"},
            {"name": "two", "domains": ["*"], "service": "b/c", "prefix": "/8/"},
        ]
        state = {"services": [], "listeners": [], "routes": [{"name": "r", "virtual_hosts": hosts}]}
        self.assertEqual(self.server.put(json.dumps(state).encode()), 200)
        client = self.client()
        client.subscribe(RDS, "r")
        sent = client.take(RDS).resources["r"].virtual_hosts
        self.assertEqual([host["name"] for host in hosts], [host.name for host in sent])
        for host, said in zip(sent, hosts):
            [route] = host.routes
            self.assertEqual(list(host.domains), said["domains"])
            self.assertEqual((route.route.cluster, route.match.prefix), (said["service"], said["prefix"]))

    @over(ALL, KINDS)
    def test_odd_names_are_sent_as_they_are(self, kind):
        """A name is a string to which a server gives no meaning, but for the one that is a star."""
        self.world.add(kind, *ODD)
        client = self.client()
        client.subscribe(kind, *ODD)
        client.holding(kind, self.world.of(kind))
        self.world.change(kind, *ODD)
        client.holding(kind, self.world.of(kind))
        client.quiet()

    @over(ALL, ROOTS)
    def test_odd_names_are_sent_as_they_are_under_the_wildcard(self, kind):
        """As above."""
        self.world.add(kind, *ODD)
        client = self.client()
        client.subscribe(kind)
        client.holding(kind, self.world.of(kind))
        self.world.remove(kind, *ODD[1:])
        client.holding(kind, self.world.of(kind))

    @over(DELTA, KINDS)
    def test_odd_names_are_missing_as_they_are(self, kind):
        """Also where they are told to be none."""
        client = self.client()
        client.subscribe(kind, *ODD)
        client.settle()
        self.world.add(kind, *ODD)
        client.holding(kind, self.world.of(kind))
        self.world.remove(kind, *ODD)
        client.holding(kind, {})

    @over(ALL, KINDS)
    def test_names_that_differ_a_little_are_different_names(self, kind):
        """Case, spaces and slashes count."""
        self.assert_different(kind, "a", "A", "a ", " a", "a/", "a\u200b")

    @over(ALL, KINDS)
    def test_names_that_look_the_same_are_different_names(self, kind):
        """protobuf: a string is its bytes, and no two ways of writing é are one."""
        self.assert_different(kind, "\u00e9", "e\u0301")

    @over(ALL, KINDS)
    def test_a_name_that_looks_like_another_is_missing(self, kind):
        """As above: what was asked for does not exist."""
        self.world.add(kind, "\u00e9")
        client = self.client()
        client.subscribe(kind, "e\u0301")
        taken = client.settle(kind)
        self.assertEqual(client.held(kind), {})
        if self.variant in DELTA:
            self.assertEqual([response.removed for response in taken], [["e\u0301"]])
        self.world.change(kind, "\u00e9")
        client.quiet()

    def assert_different(self, kind, *names):
        self.world.add(kind, *names)
        for name in names:
            client = self.client()
            client.subscribe(kind, name)
            client.holding(kind, self.world.of(kind, name))

    @over(ALL, ROOTS)
    def test_a_state_that_cannot_be_read_changes_nothing(self, kind):
        """The server keeps what it has, says so to whoever sent it, and sends nobody anything."""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind)
        client.holding(kind, self.world.of(kind))
        good = json.dumps(self.world.state())
        for bad in ("", "{", "[]", "3", "null", good[:-1], good + "}", good.replace("[", "{", 1), '{"services": 3}',
                    '{"services": [{"name": 3}], "listeners": [], "routes": []}', "\x00"):
            self.assertEqual(self.server.put(bad.encode()), 400, bad)
        client.quiet()
        later = self.client()
        later.subscribe(kind)
        later.holding(kind, self.world.of(kind))
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind))
