"""The resource types under test, and a response of either variant in one form, checked for what holds of every one."""

from dataclasses import dataclass
from typing import Callable

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryResponse

PREFIX = "type.googleapis.com/"


@dataclass(frozen=True)
class Kind:
    """A resource type. `number` reads back what `World` wrote into a resource to tell its contents apart."""

    label: str
    message: type
    service: str  # of its gRPC methods Stream<plural>, Delta<plural> and Fetch<plural>
    plural: str
    name: Callable
    number: Callable

    @property
    def url(self):
        return PREFIX + self.message.DESCRIPTOR.full_name

    @property
    def is_whole(self):
        """Whether a SotW response holds the complete state of the world."""
        return self in (CDS, LDS)

    def __repr__(self):
        return self.label


def _endpoint_number(assignment):
    ports = [each.endpoint.address.socket_address.port_value for group in assignment.endpoints
             for each in group.lb_endpoints]
    return ports[0] if ports else None


def _route_number(routes):
    return int(routes.virtual_hosts[0].routes[0].match.prefix.strip("/"))


CDS = Kind("CDS", Cluster, "envoy.service.cluster.v3.ClusterDiscoveryService", "Clusters",
           lambda cluster: cluster.name, lambda cluster: cluster.connect_timeout.ToMilliseconds())
EDS = Kind("EDS", ClusterLoadAssignment, "envoy.service.endpoint.v3.EndpointDiscoveryService", "Endpoints",
           lambda assignment: assignment.cluster_name, _endpoint_number)
LDS = Kind("LDS", Listener, "envoy.service.listener.v3.ListenerDiscoveryService", "Listeners",
           lambda listener: listener.name, lambda listener: listener.address.socket_address.port_value)
RDS = Kind("RDS", RouteConfiguration, "envoy.service.route.v3.RouteDiscoveryService", "Routes",
           lambda routes: routes.name, _route_number)

KINDS = (CDS, EDS, LDS, RDS)
ROOTS = (CDS, LDS)  # the types that have a wildcard
LEAVES = (EDS, RDS)
BY_URL = {kind.url: kind for kind in KINDS}


def manager_of(listener):
    """The HTTP connection manager of a listener that has one filter."""
    [chain] = listener.filter_chains
    [only] = chain.filters
    manager = HttpConnectionManager()
    if not only.typed_config.Unpack(manager):
        raise AssertionError(f"not an HTTP connection manager: {only}")
    return manager


def routes_of(listener):
    """The name of the route configuration that a listener takes."""
    return manager_of(listener).rds.route_config_name


class Response:
    """A DiscoveryResponse or a DeltaDiscoveryResponse.

    resources: name -> message; content: name -> the number that `World` gave it; versions: name -> version (delta).
    """

    def __init__(self, message):
        self.message, self.nonce, self.kind = message, message.nonce, BY_URL.get(message.type_url)
        self.faults = []
        self.resources, self.versions, self.removed = {}, {}, []
        if isinstance(message, DeltaDiscoveryResponse):
            self.version = message.system_version_info
            self.removed = list(message.removed_resources)
            self._read_delta()
        else:
            self.version = message.version_info
            self._require(self.version, "the specification: every resource type has a version string")
            for payload in message.resources:
                self._read(payload)
        self._require(self.nonce, "the specification: all server responses will contain a nonce")
        self._require(message.type_url, "a response states its type URL")

    def _require(self, condition, rule):
        if not condition:
            self.faults.append(f"{rule}\n{str(self.message)[:1000]}")

    def _read_delta(self):
        for entry in self.message.resources:
            self._require(entry.HasField("resource"), "a resource that is sent is not empty (no TTL was asked for)")
            name = self._read(entry.resource)
            self._require(entry.name == name, f"{entry.name!r} is the name of its resource, {name!r}")
            self._require(entry.version, "a delta resource has a version")
            self.versions[entry.name] = entry.version
        both = set(self.removed) & set(self.resources)
        self._require(not both, f"nothing is both sent and removed: {both}")
        self._require(len(set(self.removed)) == len(self.removed), "no name is removed twice in a response")

    def _read(self, payload):
        self._require(payload.type_url == self.message.type_url, "a resource is of its response's type")
        if self.kind is None:
            return None
        resource = self.kind.message()
        self._require(payload.Unpack(resource), f"a resource can be read as {self.kind}")
        name = self.kind.name(resource)
        self._require(name not in self.resources, f"a response holds {name!r} once (Duplicate Resource Names)")
        self.resources[name] = resource
        return name

    @property
    def content(self):
        return {name: self.kind.number(resource) for name, resource in self.resources.items()}

    @property
    def names(self):
        return set(self.resources)

    def __repr__(self):
        named = {name: self.content[name] for name in sorted(self.resources)[:8]} if self.kind else "?"
        return (f"<{self.kind or self.message.type_url} version={self.version!r} nonce={self.nonce!r} "
                f"{len(self.resources)} resources {named} removed={self.removed[:8]}>")
