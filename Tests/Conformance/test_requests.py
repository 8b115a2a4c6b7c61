"""Requests that say too little, too much or something else, and the methods that take them.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import grpc
from case import ConformanceTest, over
from client import AGGREGATED, ALL, PER_TYPE, SOTW
from envoy.config.core.v3.base_pb2 import Node
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse
from google.protobuf.struct_pb2 import Struct
from resources import CDS, EDS, KINDS, LDS, PREFIX, RDS, ROOTS, Response

STATUS = grpc.StatusCode


class Requests(ConformanceTest):
    def assert_serves(self):
        """The next client is served."""
        self.world.add(CDS, "probe")
        client = self.client()
        client.subscribe(CDS, "probe")
        client.holding(CDS, self.world.of(CDS, "probe"))

    def accept_unknown(self, client):
        """A server may say that there is nothing of a type that it does not know, or say nothing."""
        client.quiet(*KINDS)
        while client.has_come():
            response = client.expect()
            self.assertEqual(list(response.message.resources), [])
            names = ["a"] if self.variant in SOTW else []
            client.send(CDS, names, nonce=response.nonce, type_url=response.message.type_url)

    @over(ALL, KINDS)
    def test_only_the_first_request_has_a_node(self, kind):
        """«Only the first request on a stream is guaranteed to carry the node identifier.» All other tests rely on it,
        too."""
        self.world.fill("a", "b")
        client = self.client()
        client.subscribe(kind, "a")
        client.take(kind)
        client.node = None
        client.subscribe(kind, "b")
        client.holding(kind, self.world.of(kind))

    @over(ALL, KINDS)
    def test_every_request_may_repeat_the_node(self, kind):
        """«The node identifier should always be identical if present more than once on the stream.»"""
        self.world.fill("a", "b")
        client = self.client()
        client.subscribe(kind, "a")
        client.stream(kind).sent = 0
        client.take(kind)
        client.stream(kind).sent = 0
        client.subscribe(kind, "b")
        client.holding(kind, self.world.of(kind))

    @over(ALL, KINDS)
    def test_a_first_request_without_a_node_is_an_error(self, kind):
        """«Each xDS stream begins with a DiscoveryRequest which specifies the node identifier.»"""
        client = self.client(node=None)
        client.subscribe(kind, "a")
        self.assertEqual(client.stream(kind).ended(), STATUS.INVALID_ARGUMENT)
        self.assert_serves()

    @over(ALL)
    def test_a_node_may_say_much(self):
        """Metadata, features, extensions and a name of any kind are not a server's business."""
        metadata = Struct()
        metadata.update({"labels": {"a": [1, None, "x" * 10_000]}, "": True})
        node = Node(
            id="ü/?" * 100, cluster="", metadata=metadata, user_agent_name="envoy",
            client_features=["xds.config.resource-in-sotw", "envoy.lb.does_not_support_overprovisioning"],
        )
        self.world.fill("a")
        client = self.client(node=node)
        client.subscribe(CDS, "a")
        client.holding(CDS, self.world.of(CDS))

    @over(AGGREGATED)
    def test_an_unknown_type_does_not_touch_the_others(self):
        """«Each resource type is treated as a separate logical stream.» Clients ask for types that a server has not
        heard of."""
        self.world.fill("a")
        client = self.client()
        client.subscribe(CDS, "a")
        client.take(CDS)
        for url in ("envoy.service.runtime.v3.Runtime", "envoy.config.listener.v9.Listener", "nobody.Has.This"):
            client.send(CDS, ["a"], type_url=PREFIX + url)
        self.accept_unknown(client)
        for kind in (EDS, LDS, RDS):
            client.subscribe(kind, "a")
            client.holding(kind, self.world.of(kind))
        self.world.change(CDS, "a")
        client.holding(CDS, self.world.of(CDS))

    @over(AGGREGATED)
    def test_an_unknown_type_may_come_first(self):
        """As above; the node comes with it."""
        self.world.fill("a")
        client = self.client()
        client.send(CDS, ["a"], type_url=PREFIX + "nobody.Has.This")
        self.accept_unknown(client)
        client.subscribe(CDS, "a")
        client.holding(CDS, self.world.of(CDS))

    @over(AGGREGATED)
    def test_a_request_of_no_type_is_an_error(self):
        """discovery.proto: type_url «is implicit in requests made via singleton xDS APIs [...] but is required for
        ADS»."""
        client = self.client()
        client.send(CDS, ["a"], type_url="")
        self.assertEqual(client.stream(CDS).ended(), STATUS.INVALID_ARGUMENT)
        self.assert_serves()

    @over(PER_TYPE, KINDS)
    def test_a_stream_of_one_type_needs_no_type_in_its_requests(self, kind):
        """As above: it «is implicit»; the response says it all the same."""
        self.world.fill("a")
        client = self.client()
        client.send(kind, ["a"], type_url="")
        client.remember(kind, ["a"], [])
        self.assertEqual(client.take(kind).content, self.world.of(kind))
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind))

    @over(PER_TYPE, KINDS)
    def test_another_type_on_a_stream_of_one_type_is_the_end_of_that_stream(self, kind):
        """«There is a separate RPC service for each resource type.»"""
        self.world.fill("a")
        client, other = self.client(), LDS if kind is CDS else CDS
        client.subscribe(other, "a")
        client.holding(other, self.world.of(other))
        client.send(kind, ["a"], type_url=other.url)
        self.assertEqual(client.stream(kind).ended(), STATUS.INVALID_ARGUMENT)
        self.world.change(other, "a")
        client.holding(other, self.world.of(other))

    @over(ALL)
    def test_what_is_no_message_is_the_end_of_its_stream_only(self):
        """gRPC: a message that cannot be read ends the call."""
        method, good = self.client().method(CDS), self.client()
        self.world.fill("a")
        good.subscribe(CDS, "a")
        good.holding(CDS, self.world.of(CDS))
        channel = grpc.insecure_channel(self.server.xds)
        call = channel.stream_stream(method)(iter([b"\xff\xff\xff\xff no message"]))
        with self.assertRaises(grpc.RpcError):
            next(call)
        self.assertNotIn(call.code(), (STATUS.OK, STATUS.UNIMPLEMENTED))
        channel.close()
        self.world.change(CDS, "a")
        good.holding(CDS, self.world.of(CDS))

    @over(ALL, KINDS)
    def test_fields_that_nobody_knows_are_passed_over(self, kind):
        """protobuf: a message of a newer definition is read all the same. Here they are of every wire type."""
        fields = b"\xa0\x06\x01", b"\xa9\x06ABCDEFGH", b"\xb2\x06\x03abc", b"\xbd\x06ABCD", b"\xf8\xff\xff\xff\x0f\x01"
        self.assert_passed_over(kind, b"".join(fields))

    @over(ALL, (CDS,))
    def test_groups_that_nobody_knows_are_passed_over(self, kind):
        """As above: the wire types of old that no definition of today has, and that every parser passes over."""
        self.assert_passed_over(kind, b"\xc3\x06\x08\x01\xc4\x06")

    def assert_passed_over(self, kind, unknown):
        self.world.fill("a", "b")
        client = self.client()
        names = {"resource_names" if self.variant in SOTW else "resource_names_subscribe": ["a"]}
        request = client.request(type_url=kind.url, **names)
        client.post(kind, client.request.FromString(unknown + request.SerializeToString() + unknown))
        client.remember(kind, ["a"], [])
        client.holding(kind, self.world.of(kind, "a"))

    @over(SOTW[1:], KINDS)
    def test_a_fetch_is_answered_with_names(self, kind):
        """The unary methods of the services, for clients that poll."""
        self.world.fill("a", "b")
        response = self.fetch(kind, DiscoveryRequest(node=Node(id="poll"), type_url=kind.url, resource_names=["a"]))
        self.assertEqual((response.content, response.faults), (self.world.of(kind, "a"), []))

    @over(SOTW[1:], ROOTS)
    def test_a_fetch_is_answered_with_everything(self, kind):
        """As above, and its type is implicit."""
        self.world.fill("a", "b")
        for names in ([], ["*"]):
            response = self.fetch(kind, DiscoveryRequest(node=Node(id="poll"), resource_names=names))
            self.assertEqual((response.content, response.faults), (self.world.of(kind), []))

    def fetch(self, kind, request):
        with grpc.insecure_channel(self.server.xds) as channel:
            method = f"/{kind.service}/Fetch{kind.plural}"
            fetch = channel.unary_unary(method, DiscoveryRequest.SerializeToString, DiscoveryResponse.FromString)
            message = fetch(request, timeout=10)
        message.nonce = message.nonce or "a unary response needs none"
        return Response(message)

    @over(ALL[:1])
    def test_a_method_that_is_not_served_is_unimplemented(self):
        """gRPC's status for it, and not silence."""
        with grpc.insecure_channel(self.server.xds) as channel:
            for method in (
                "/envoy.service.discovery.v3.AggregatedDiscoveryService/NobodyHasThis",
                "/envoy.service.discovery.v2.AggregatedDiscoveryService/StreamAggregatedResources",
                "/envoy.api.v2.ClusterDiscoveryService/StreamClusters",
                "/nobody.Has/This",
                "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats",
            ):
                call = channel.stream_stream(method)(iter([b""]))
                with self.assertRaises(grpc.RpcError):
                    next(call)
                self.assertEqual(call.code(), STATUS.UNIMPLEMENTED, method)
