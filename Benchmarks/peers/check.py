# SPDX-License-Identifier: Apache-2.0
# Checks that each variant of the peer serves the fleet, and after a touch exactly what changed, in both protocols.
# usage: .tools/grpc/bin/python Benchmarks/peers/check.py [BINARY]
import pathlib
import queue
import socket
import subprocess
import sys
import threading
import urllib.request

import grpc
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401, for the Any in the listener
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.service.discovery.v3 import discovery_pb2 as discovery
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceStub

SERVICES, ENDPOINTS, TOUCHED, TIMEOUT, QUIET = 300, 3, 257, 20, 0.5
NAMES = [f"service-{n:05}" for n in range(SERVICES)]
MESSAGES = (Cluster, ClusterLoadAssignment, Listener, RouteConfiguration)
TYPES = {f"type.googleapis.com/{message.DESCRIPTOR.full_name}": message for message in MESSAGES}
CDS, EDS, LDS, RDS = TYPES


class Stream:
    """An aggregated stream of one node, that acknowledges as Envoy does: SotW with all names, delta with the nonce."""

    def __init__(self, address, node, delta):
        self.delta, self.node, self.names = delta, {"id": node}, {}
        self.requests, self.responses = queue.SimpleQueue(), queue.SimpleQueue()
        self.channel = grpc.insecure_channel(address, [("grpc.max_receive_message_length", 1 << 28)])
        stub = AggregatedDiscoveryServiceStub(self.channel)
        call = stub.DeltaAggregatedResources if delta else stub.StreamAggregatedResources
        self.call = call(iter(self.requests.get, None))
        self.call.add_done_callback(lambda _: self.responses.put(None))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for response in self.call:
                self.responses.put(response)
        except grpc.RpcError:
            pass

    def send(self, **fields):
        message = discovery.DeltaDiscoveryRequest if self.delta else discovery.DiscoveryRequest
        self.requests.put(message(node=self.node, **fields))
        self.node = None  # only on the first request, as Envoy

    def subscribe(self, type_url, names=()):
        self.names[type_url] = names
        self.send(type_url=type_url, **{"resource_names_subscribe" if self.delta else "resource_names": names})

    def receive(self):
        """The type and the resources by name of the next response, which is acknowledged."""
        response = self.responses.get(timeout=TIMEOUT)
        assert response is not None, f"the stream ended: {self.call.code()} {self.call.details()}"
        acknowledgement = {"type_url": response.type_url, "response_nonce": response.nonce}
        if not self.delta:
            acknowledgement |= {"version_info": response.version_info, "resource_names": self.names[response.type_url]}
        else:
            assert not response.removed_resources, response.removed_resources
        self.send(**acknowledgement)
        resources = {}
        for each in response.resources:
            resource = TYPES[response.type_url].FromString((each.resource if self.delta else each).value)
            resources[resource.cluster_name if response.type_url == EDS else resource.name] = resource
        return response.type_url, resources

    def expect(self, type_url, names):
        got, resources = self.receive()
        found = f"{len(resources)} of {got} where {len(names)} of {type_url} were due"
        assert (got, sorted(resources)) == (type_url, sorted(names)), found
        return resources

    def expect_nothing(self):
        try:
            raise AssertionError(f"unexpected: {self.responses.get(timeout=QUIET)}"[:2000])
        except queue.Empty:
            pass

    def close(self):
        self.call.cancel()
        self.channel.close()


def initial(stream):
    """What Envoy asks for at its start, in its order."""
    stream.subscribe(CDS)
    clusters = stream.expect(CDS, NAMES)
    stream.subscribe(EDS, NAMES)
    assignments = stream.expect(EDS, NAMES)
    stream.subscribe(LDS)
    listener = stream.expect(LDS, ["listener"])["listener"]
    stream.subscribe(RDS, ["routes"])
    routes = stream.expect(RDS, ["routes"])["routes"]
    stream.expect_nothing()

    for name, cluster in clusters.items():
        assert cluster.type == Cluster.EDS and cluster.eds_cluster_config.eds_config.HasField("ads"), cluster
        assert cluster.connect_timeout.seconds == 1 and cluster.lb_policy == Cluster.ROUND_ROBIN, cluster
    members = [member for name in NAMES for member in endpoints(assignments[name])]
    assert len(set(members)) == SERVICES * ENDPOINTS and all(port == 8080 for _, port in members)
    assert members[257] == ("10.0.1.1", 8080)
    manager = hcm.HttpConnectionManager()
    assert listener.address.socket_address.port_value == 10000
    assert listener.filter_chains[0].filters[0].typed_config.Unpack(manager)
    assert manager.rds.route_config_name == "routes" and manager.rds.config_source.HasField("ads")
    assert [host.name for host in routes.virtual_hosts] == NAMES
    for host in routes.virtual_hosts:
        assert list(host.domains) == [f"{host.name}.example.com"] and len(host.routes) == 1
        assert host.routes[0].match.prefix == "/" and host.routes[0].route.cluster == host.name
    return assignments


def endpoints(assignment):
    (locality,) = assignment.endpoints
    sockets = [member.endpoint.address.socket_address for member in locality.lb_endpoints]
    return [(each.address, each.port_value) for each in sockets]


def touched(stream, variant, before, port):
    """The change must arrive alone: by name where protocol and cache allow, with the whole type in a SotW snapshot."""
    whole = not stream.delta and variant.startswith("snapshot")
    after = stream.expect(EDS, NAMES if whole else [NAMES[TOUCHED]])
    changed = [name for name in after if after[name] != before[name]]
    assert changed == [NAMES[TOUCHED]], changed
    first, *rest = endpoints(after[NAMES[TOUCHED]])
    assert first[1] == port and rest == endpoints(before[NAMES[TOUCHED]])[1:]
    stream.expect_nothing()
    return before | after


def check(binary, variant):
    xds, admin = (f"127.0.0.1:{port}" for port in free_ports(2))
    size = ["--services", str(SERVICES), "--endpoints", str(ENDPOINTS)]
    command = [binary, "--variant", variant, *size, "--addr", xds, "--admin", admin]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "ready\n"
        request(f"http://{admin}/healthz", "GET")
        streams = [Stream(xds, f"node-{n}", delta) for n, delta in enumerate((True, False, True, False))]
        held = [initial(stream) for stream in streams]
        for port in (8081, 8080, 8081):
            request(f"http://{admin}/touch?service={TOUCHED}", "POST")
            held = [touched(stream, variant, before, port) for stream, before in zip(streams, held)]
        for stream in streams:
            stream.close()
        assert server.poll() is None
    finally:
        server.kill()
        server.wait()
    print(variant, "ok")


def request(url, method):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=TIMEOUT) as response:
        assert response.status == 200


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


default = pathlib.Path(__file__).resolve().parents[2] / ".tools/peers/go-control-plane"
for variant in ("snapshot", "snapshot-shared", "linear"):
    check(sys.argv[1] if len(sys.argv) > 1 else default, variant)
