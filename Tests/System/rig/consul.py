"""A real Consul server on a loopback address of its own, and the parts of its API that tests use."""

import http.client
import json
import random
import socket
import struct
import threading
from pathlib import Path

from .processes import ROOT, Process, eventually

BINARY = ROOT / ".tools/consul/usr/bin/consul"


def own_address():
    """A loopback address on which nobody else has the ports of a Consul."""
    while True:
        address = f"127.{random.randint(20, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
        with socket.socket() as probe:
            if probe.connect_ex((address, 8300)):
                return address


class ConsulError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:300]!r}")
        self.status, self.body = status, body


class Consul(Process):
    """`consul agent -server` with its data in the scratch directory, so that it can be killed and started again."""

    def __init__(self, scratch, address=None, name="consul", datacenter="dc1", token=None, authority=None, **config):
        """With an authority, TLS is spoken on a port of its own."""
        self.address, self.authority = address or own_address(), authority
        self.datacenter, self.token, self.local = datacenter, token, threading.local()
        self.data = Path(scratch) / f"{name}-data"
        settings = {
            "server": True, "bootstrap_expect": 1, "datacenter": datacenter, "node_name": name,
            "data_dir": str(self.data), "bind_addr": self.address, "client_addr": self.address,
            "log_level": "warn", "performance": {"raft_multiplier": 1},
            "ports": {"grpc": -1, "dns": -1}, "disable_update_check": True, "leave_on_terminate": False,
        } | config
        if authority:
            chain, key = authority.issue(name, f"IP:{self.address}")
            settings |= {"cert_file": str(chain), "key_file": str(key)}
            settings["ports"] = settings["ports"] | {"https": 8501}
        file = Path(scratch) / f"{name}.json"
        file.write_text(json.dumps(settings))
        super().__init__(name, [BINARY, "agent", "-config-file", file], scratch)

    def start(self, ready=True):
        super().start()
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        """A leader that knows itself: registrations are taken."""
        eventually(lambda: self.get("/v1/catalog/service/consul"), 30, f"{self.name} leads and is in its own catalog")

    @property
    def url(self):
        """For others: over TLS if there is any."""
        return f"https://{self.address}:8501" if self.authority else f"http://{self.address}:8500"

    @property
    def trust(self):
        """The environment of others, to trust it."""
        return {"CONSUL_CACERT": str(self.authority.certificate)} if self.authority else {}

    def request(self, method, path, body=None, token=None, timeout=10.0):
        """(status, headers, body as bytes) over a connection kept for this thread."""
        connection = getattr(self.local, "connection", None)
        headers = {"X-Consul-Token": token or self.token} if token or self.token else {}
        data = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
        for attempt in range(2):
            if connection is None:
                connection = self.local.connection = http.client.HTTPConnection(self.address, 8500, timeout=timeout)
            try:
                connection.request(method, path, data, headers)
                response = connection.getresponse()
                return response.status, response.headers, response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = self.local.connection = None
                if attempt:
                    raise

    def call(self, method, path, body=None, **options):
        status, _, answer = self.request(method, path, body, **options)
        if status != 200:
            raise ConsulError(status, answer)
        return json.loads(answer) if answer.strip() else None

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def put(self, path, body=None, **options):
        return self.call("PUT", path, body, **options)

    def register(self, service, port, identity=None, address="127.0.0.1", node="node-1", check="passing", **fields):
        """An instance in the catalog, on a node that nobody runs an agent on: nothing undoes it."""
        identity = identity or f"{service}-{port}"
        entry = {
            "Node": node, "Address": "127.0.0.1", "SkipNodeUpdate": False,
            "Service": {"ID": identity, "Service": service, "Address": address, "Port": port} | fields,
        }
        if check:
            entry["Check"] = {
                "CheckID": f"check-{identity}", "Name": "alive", "Status": check, "ServiceID": identity,
            }
        return self.put("/v1/catalog/register", entry)

    def check(self, service, port, status, identity=None, node="node-1"):
        identity = identity or f"{service}-{port}"
        return self.put("/v1/catalog/register", {
            "Node": node, "Address": "127.0.0.1", "SkipNodeUpdate": True,
            "Check": {"CheckID": f"check-{identity}", "Name": "alive", "Status": status, "ServiceID": identity},
        })

    def deregister(self, service, port, identity=None, node="node-1"):
        return self.put("/v1/catalog/deregister", {"Node": node, "ServiceID": identity or f"{service}-{port}"})

    def fill(self, services, instances=1, nodes=10, prefix="svc", first_port=30_000):
        """Many services at once, each with its instances, in transactions."""
        operations = [
            {"Node": {"Verb": "set", "Node": {"Node": f"fill-{number}", "Address": f"10.0.0.{number + 1}"}}}
            for number in range(nodes)
        ]
        for number in range(services * instances):
            service, copy = divmod(number, instances)
            node, identity = f"fill-{number % nodes}", f"{prefix}{service}-{copy}"
            operations += [
                {"Service": {"Verb": "set", "Node": node, "Service": {
                    "ID": identity, "Service": f"{prefix}{service}", "Port": 8000 + copy % 1000,
                    "Address": f"10.{1 + copy % 200}.{service // 250}.{service % 250 + 1}",
                    "Weights": {"Passing": 1, "Warning": 1},
                }}},
                {"Check": {"Verb": "set", "Check": {
                    "Node": node, "CheckID": f"check-{identity}", "Name": "alive", "Status": "passing",
                    "ServiceID": identity,
                }}},
            ]
        for start in range(0, len(operations), 62):
            self.put("/v1/txn", operations[start:start + 62])

    def connections_from(self, pid):
        """How many connections a process has to the API."""
        inodes = {f"socket:[{each}]" for port in (8500, 8501) for each in established(self.address, port)}
        links = Path(f"/proc/{pid}/fd").iterdir()
        return sum(1 for link in links if _target(link) in inodes)


def established(address, port):
    """The inodes of TCP connections to there. /proc/net/tcp has them too, and takes 30 ms for what others have had."""
    by_family, dump, done = 20, 0x301, 3
    request = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 1 << 1) + struct.pack(">HH44x", 0, port)
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as kernel:  # NETLINK_SOCK_DIAG
        kernel.send(struct.pack("=IHHII", 16 + len(request), by_family, dump, 1, 0) + request)
        while True:
            data = kernel.recv(1 << 16)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind != by_family:
                    if kind == done:
                        return found
                    raise OSError(f"sock_diag answers {kind}")
                to, inode = data[16 + 24:16 + 28], struct.unpack_from("=I", data, 16 + 68)[0]
                found += [inode] if socket.inet_ntoa(to) == address else []
                data = data[-(-length // 4) * 4:]


class Connections:
    """Counts in a thread of its own how many connections a process has to the API: `most` is of all moments so far."""

    def __init__(self, consul, process, interval=0.02):
        self.consul, self.process, self.interval = consul, process, interval
        self.most, self.looks, self.ended = 0, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True, name="connections")
        self.thread.start()

    def stop(self):
        self.ended.set()
        self.thread.join(10)

    def _watch(self):
        while not self.ended.wait(self.interval):
            try:
                self.most = max(self.most, self.consul.connections_from(self.process.child.pid))
                self.looks += 1
            except OSError:
                continue  # the process ends


def _target(link):
    try:
        return str(link.readlink())
    except OSError:
        return ""
