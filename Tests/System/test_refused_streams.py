"""B18: a stream that asks for what cannot be, or does not say whose it is, ends with a status that says why; the
streams beside it, also those on the same connection, do not notice."""

from envoy.config.core.v3.base_pb2 import Node
from rig.bystander import SERVICES, BesideOthers
from rig.http2 import Connection
from rig.xds import (
    CDS, DELTA, DELTA_CDS, EDS, INVALID_ARGUMENT, SOTW, STREAM_CDS, TYPE, UNIMPLEMENTED, DeltaDiscoveryResponse, Proxy,
    delta, sotw,
)

V2 = {"ADS": "/envoy.service.discovery.v2.AggregatedDiscoveryService/StreamAggregatedResources",
      "CDS": "/envoy.api.v2.ClusterDiscoveryService/DeltaClusters"}
V2_CLUSTER = "type.googleapis.com/envoy.api.v2.Cluster"

# what is wrong -> (method, requests, status, words in its message)
REFUSED = {
    "no node, delta": (DELTA, [delta(CDS)], INVALID_ARGUMENT, "node.id"),
    "no node, SotW": (SOTW, [sotw(CDS)], INVALID_ARGUMENT, "node.id"),
    "an empty node": (DELTA, [delta(CDS) + b"\x0a\x00"], INVALID_ARGUMENT, "node.id"),
    "a node with a cluster and no id": (
        SOTW, [sotw(CDS) + b"\x12" + bytes([len(each := Node(cluster="edge").SerializeToString())]) + each],
        INVALID_ARGUMENT, "node.id",
    ),
    "a node that changes, delta": (DELTA, [delta(CDS, node="edge-a"), delta(EDS, node="edge-b")],
                                   INVALID_ARGUMENT, "changed"),
    "a node that changes, SotW": (SOTW, [sotw(CDS, node="edge-a"), sotw(EDS, node="edge-b")],
                                  INVALID_ARGUMENT, "changed"),
    "no type on an aggregated stream": (DELTA, [delta("", node="edge-a")], INVALID_ARGUMENT, "type_url"),
    "a type that is no type URL": (DELTA, [delta("Cluster", node="edge-a")], INVALID_ARGUMENT, "Cluster"),
    "another type than the stream's, delta": (DELTA_CDS, [delta(EDS, node="edge-a")], INVALID_ARGUMENT, "ClusterLoad"),
    "another type than the stream's, SotW": (STREAM_CDS, [sotw(EDS, node="edge-a")], INVALID_ARGUMENT, "ClusterLoad"),
    "a type of v2 on a stream of clusters": (STREAM_CDS, [sotw(V2_CLUSTER, node="edge-a")], INVALID_ARGUMENT, "v2"),
    "the aggregated method of v2": (V2["ADS"], [sotw(V2_CLUSTER, node="edge-a")], UNIMPLEMENTED, "v2"),
    "a method of v2": (V2["CDS"], [delta(V2_CLUSTER, node="edge-a")], UNIMPLEMENTED, "v2"),
    "a method that nobody has": (DELTA + "Twice", [delta(CDS, node="edge-a")], UNIMPLEMENTED, "Twice"),
}
# There are no resources of these, and a client may ask: other types on the same stream are served.
UNKNOWN = (V2_CLUSTER, TYPE + "config.cluster.v9.Cluster", "type.googleapis.com/nobody.Has.This")


class RefusedStreams(BesideOthers):
    def test_streams_that_are_refused(self):
        neighbour = Proxy(self.server.xds, "edge-neighbour", ["edge/http"]).synced(SERVICES)
        for what, case in REFUSED.items():
            with self.subTest(what):
                self.beside(lambda case=case: self.is_refused(neighbour, *case))
        self.is_served(neighbour)
        self.note_worst(f"{len(REFUSED)} kinds")

    def is_refused(self, neighbour, method, requests, status, words):
        for connection in (Connection(self.server.xds), neighbour.connection):
            call = connection.call(method)
            for request in requests:
                connection.say(call, request)
            connection.until(lambda call=call: call.over, 5, "the end of the stream")
            self.assertEqual((call.status, call.reset), (status, None), call.details)
            self.assertIn(words, call.details)
            self.assertIsNone(connection.goaway, connection)
        self.assertFalse(neighbour.call.over, neighbour.connection)

    def is_served(self, proxy):
        before = len(proxy.log)
        self.bystander.edit()
        proxy.until(lambda: len(proxy.log) > before, 2, "an edit")

    def test_only_the_first_request_has_a_node(self):
        """As Envoy does it: set_node_on_first_message_only."""
        for kind in ("delta", "sotw"):
            proxy = Proxy(self.server.xds, f"edge-{kind}", ["edge/http"], sotw=kind == "sotw").synced(SERVICES)
            self.is_served(proxy)

    def test_a_type_that_nobody_knows_is_told_so_and_no_more(self):
        connection = Connection(self.server.xds)
        call = connection.call(DELTA)
        connection.say(call, delta(UNKNOWN[0], ["web"], node="edge-unknown"))
        for url in UNKNOWN[1:]:
            connection.say(call, delta(url, ["web"]))
        connection.until(lambda: len(call.messages) == len(UNKNOWN) or call.over, 5, "an answer of each type")
        self.assertFalse(call.over, connection)
        answers = [DeltaDiscoveryResponse.FromString(each) for each in call.messages]
        self.assertEqual({each.type_url for each in answers}, set(UNKNOWN))
        for each in answers:
            self.assertEqual((list(each.resources), list(each.removed_resources)), ([], ["web"]))
        connection.say(call, delta(CDS, ["web"]))
        connection.until(lambda: len(call.messages) > len(UNKNOWN), 5, "an answer of a type that it knows")
        served = DeltaDiscoveryResponse.FromString(call.messages[-1])
        self.assertEqual([each.name for each in served.resources], ["web"])
