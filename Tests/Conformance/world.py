"""The server under test, and the world that it is told to serve."""

import itertools
import json
import random
import shutil
import tempfile
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

from rig.processes import Process, eventually, free_port
from rig.signalbox import BINARY
from resources import CDS, EDS, LDS, RDS

PORTS = iter(random.sample(range(20_000, 32_000), 1000))  # each is tried once, though many servers start at once
BACKEND = "backend"  # where routes lead if a test does not say; nobody knows it


class Server(Process):
    """`signalbox bench serve`, on ports that survive a restart."""

    of_this_thread, all = threading.local(), []

    def __init__(self):
        self.all.append(self)
        self.xds, self.admin = (f"127.0.0.1:{free_port(next(PORTS))}" for _ in range(2))
        scratch = tempfile.mkdtemp(prefix="signalbox-conformance-")
        super().__init__("server", [BINARY, "bench", "serve", "--addr", self.xds, "--admin", self.admin], scratch)

    @classmethod
    def mine(cls):
        """The server of the calling thread, which runs one test at a time; another one if it is not running."""
        server = getattr(cls.of_this_thread, "server", None)
        if server is None or not server.running:
            server = cls.of_this_thread.server = cls().start()
        return server

    def start(self):
        self.log.unlink(missing_ok=True)
        super().start()
        eventually(self._is_ready, 30, f"{self.name} is ready")
        return self

    def _is_ready(self):
        if not self.running:
            raise SystemExit(f"the server exited with {self.child.returncode}\n{self.log_tail()}")
        return "ready" in self.log.read_text().split()

    def restart(self):
        """As after a crash: it knows nothing any more."""
        self.kill()
        return self.start()

    def put(self, body):
        """The status that the server answers a new state with."""
        request = urllib.request.Request(f"http://{self.admin}/state", body, method="PUT")
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    @classmethod
    def remove_all(cls):
        for server in cls.all:
            server.kill()
            shutil.rmtree(server.log.parent, ignore_errors=True)


class World:
    """Everything that there is to discover. Each change is published before its method returns.

    Every resource has a number that is in its content: a cluster's timeout, an assignment's port, a listener's port, a
    route's prefix. So what a client holds and what it should hold are values: name -> number. A service is a cluster
    and its assignment, so that it is added and removed as either.
    """

    def __init__(self, server):
        self.server, self.numbers, self.held_back = server, itertools.count(1), False
        self.contents = {CDS: {}, EDS: {}, LDS: {}, RDS: {}}
        self.targets, self.routes_of = {}, {}
        self.publish()

    def add(self, kind, *names):
        for each in self._with(kind):
            self.contents[each] |= {name: next(self.numbers) for name in names}
        self.publish()

    def fill(self, *names):
        """Of every type, resources of these names."""
        with self.together():
            for kind in (CDS, LDS, RDS):
                self.add(kind, *names)

    def change(self, kind, *names):
        """Other content, of this type only."""
        assert set(names) <= set(self.contents[kind])
        self.contents[kind] |= {name: next(self.numbers) for name in names}
        self.publish()

    def remove(self, kind, *names):
        for each in self._with(kind):
            for name in names:
                del self.contents[each][name]
        self.publish()

    def restore(self, kind, content):
        """As it was: content that `of` told earlier."""
        self.contents[kind] = dict(content)
        self.publish()

    def point(self, routes, service):
        """Lets a route configuration lead to this service."""
        self.targets[routes] = service
        self.change(RDS, routes)

    def listen(self, listener, routes):
        """Lets a listener take these routes."""
        self.routes_of[listener] = routes
        self.change(LDS, listener)

    def vacate(self, *services):
        """Leaves services without an endpoint."""
        self.contents[EDS] |= dict.fromkeys(services)
        self.publish()

    def of(self, kind, *names):
        """What there is of a type: name -> number. With names and without a star, of these."""
        content = self.contents[kind]
        return {name: content[name] for name in (content if not names or "*" in names else names)}

    @contextmanager
    def together(self):
        """Changes that are published as one."""
        self.held_back = True
        yield
        self.held_back = False
        self.publish()

    def publish(self):
        if not self.held_back:
            status = self.server.put(json.dumps(self.state()).encode())
            if status != 200:
                raise AssertionError(f"PUT /state: {status}")

    def state(self):
        return {
            "services": [
                {"name": name, "connect_timeout_ms": number, "endpoints": self._endpoints(self.contents[EDS][name])}
                for name, number in self.contents[CDS].items()
            ],
            "listeners": [
                {"name": name, "port": number, "route": self.routes_of.get(name, "routes")}
                for name, number in self.contents[LDS].items()
            ],
            "routes": [
                {"name": name, "virtual_hosts": [self._host(self.targets.get(name, BACKEND), number)]}
                for name, number in self.contents[RDS].items()
            ],
        }

    @staticmethod
    def _host(service, number):
        return {"name": "host", "domains": ["*"], "service": service, "prefix": f"/{number}"}

    @staticmethod
    def _endpoints(number):
        return [] if number is None else [{"address": "10.0.0.1", "port": number}]

    @staticmethod
    def _with(kind):
        return (CDS, EDS) if kind in (CDS, EDS) else (kind,)
