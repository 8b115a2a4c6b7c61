"""A proxy that is no Envoy: it asks as one does, answers as one does, and writes down what came when. Needs hpack and
xds-protos. Like the connection that it stands on, it does nothing unless it is told to `pump`."""

import re
import time
from collections import defaultdict
from dataclasses import dataclass

from envoy.service.discovery.v3.discovery_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)

from .http2 import Connection

TYPE = "type.googleapis.com/envoy."
CDS = TYPE + "config.cluster.v3.Cluster"
EDS = TYPE + "config.endpoint.v3.ClusterLoadAssignment"
LDS = TYPE + "config.listener.v3.Listener"
RDS = TYPE + "config.route.v3.RouteConfiguration"
VHDS = TYPE + "config.route.v3.VirtualHost"

ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
DELTA, SOTW = ADS + "DeltaAggregatedResources", ADS + "StreamAggregatedResources"
DELTA_VHDS = "/envoy.service.route.v3.VirtualHostDiscoveryService/DeltaVirtualHosts"
STREAM_CDS = "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters"
DELTA_CDS = "/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters"

# gRPC's
OK, UNKNOWN, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED = 0, 2, 3, 8, 12


def delta(kind, subscribe=(), unsubscribe=(), nonce="", node=None, **more):
    return DeltaDiscoveryRequest(
        type_url=kind, resource_names_subscribe=subscribe, resource_names_unsubscribe=unsubscribe,
        response_nonce=nonce, node=node and {"id": node, "cluster": "rig"}, **more,
    ).SerializeToString()


def sotw(kind, names=(), version="", nonce="", node=None, **more):
    return DiscoveryRequest(
        type_url=kind, resource_names=names, version_info=version, response_nonce=nonce,
        node=node and {"id": node, "cluster": "rig"}, **more,
    ).SerializeToString()


@dataclass
class Received:
    """One response."""

    at: float
    kind: str
    size: int
    content: dict  # name -> bytes; of SotW without names, which are inside
    removed: list
    nonce: str
    version: str
    message: object


class Proxy:
    """Takes clusters, the endpoints of each, listeners, and the route configurations that it is told the names of."""

    def __init__(self, address, node, routes=(), sotw=False, window=16 << 20):
        self.node, self.routes, self.sotw = node, list(routes), sotw
        self.connection = Connection(address, window)
        self.call = self.connection.call(SOTW if sotw else DELTA)
        self.log, self.held, self.asked, self.read = [], defaultdict(dict), set(), 0
        self.named = []  # the endpoints that it asked for, on SotW
        self.answers = True  # whether it says that it has accepted what came
        self._ask(CDS, node=node)

    def pump(self, seconds=0.0):
        """Reads and answers for so long."""
        deadline = time.monotonic() + seconds
        while True:
            self.connection.pump(max(0.0, min(0.05, deadline - time.monotonic())))
            self._take()
            if time.monotonic() >= deadline:
                return

    def until(self, probe, timeout=10.0, what=""):
        def taken():
            self._take()
            return probe()

        return self.connection.until(taken, timeout, what)

    def synced(self, clusters, timeout=30.0):
        """Until it holds so many clusters with their endpoints, and the routes."""
        self.until(lambda: len(self.held[CDS]) >= clusters and len(self.held[EDS]) >= clusters and
                   (not self.routes or self.held[RDS]), timeout, f"{self.node} holds {clusters} clusters")
        return self

    def of(self, kind, since=0.0):
        return [each for each in self.log if each.kind == kind and each.at >= since]

    def close(self):
        self.connection.close()

    def _take(self):
        while self.read < len(self.call.messages):
            body, self.call.messages[self.read] = self.call.messages[self.read], None
            self.read += 1
            response = self._parse(body)
            self.log.append(response)
            for name in response.removed:
                self.held[response.kind].pop(name, None)
            if self.answers:
                self.answer(response)

    def _parse(self, body):
        if self.sotw:
            parsed = DiscoveryResponse.FromString(body)
            content, removed = {name_of(each): each.value for each in parsed.resources}, []
            version = parsed.version_info
            if parsed.type_url in (CDS, LDS):
                self.held[parsed.type_url].clear()
        else:
            parsed = DeltaDiscoveryResponse.FromString(body)
            content = {each.name: each.resource.value for each in parsed.resources if each.HasField("resource")}
            removed, version = list(parsed.removed_resources), parsed.system_version_info
        self.held[parsed.type_url].update(content)
        return Received(time.monotonic(), parsed.type_url, len(body), content, removed, parsed.nonce, version, parsed)

    def answer(self, response):
        """ACK, and ask for what is needed next."""
        kind, names = response.kind, [name for name in response.content if name not in self.asked]
        listed = {EDS: self.named, RDS: self.routes}.get(kind, [])
        self._send(sotw(kind, listed, response.version, response.nonce) if self.sotw
                   else delta(kind, nonce=response.nonce))
        if kind == CDS and names:
            self.asked.update(names)
            self.named += names
            last = self.of(EDS)[-1:]
            self._send(sotw(EDS, self.named, *([last[0].version, last[0].nonce] if last else [])) if self.sotw
                       else delta(EDS, names))
        if kind == EDS and not self.of(LDS) and LDS not in self.asked:
            self.asked.add(LDS)
            self._ask(LDS)
        if kind == LDS and self.routes and RDS not in self.asked:
            self.asked.add(RDS)
            self._ask(RDS, self.routes)

    def _ask(self, kind, names=(), node=None):
        self._send((sotw if self.sotw else delta)(kind, names, node=node))

    def _send(self, body):
        self.connection.say(self.call, body)


def edit_of(routes):
    """The value of x-edit in a route configuration."""
    return re.search(rb"x-edit\x12.(\d+)", routes, re.DOTALL)[1].decode()


def name_of(resource):
    """The name of a packed resource: its first field, in all types that there are here."""
    return resource.value[2:2 + resource.value[1]].decode()
