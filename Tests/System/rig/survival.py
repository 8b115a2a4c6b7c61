"""A Consul of many services that Signalbox follows, an Envoy that holds them all under load, and what must not move."""

import random
import time

from .case import SystemTest
from .consul import Consul
from .documents import gateway, route, together
from .envoy import Envoy
from .processes import eventually, free_port
from .traffic import Load, once

RATE = 300
CALLED = 10  # services that answer and get requests: web0 to web9
# What Envoy counts when it takes in anything but what it has.
MOVES = r"(cluster_manager.cluster_(added|modified|removed)|listener_manager.listener_(added|modified|removed)|" \
        r"cluster\..*\.membership_change)$"


class Survival(SystemTest):
    services = 100  # beside those that are called
    consul_settings = {}

    def setUp(self):
        super().setUp()
        self.consul = Consul(self.scratch, **self.consul_settings)
        self.processes.append(self.consul)
        self.consul.start()
        self.web = [self.upstream(f"web{number}") for number in range(CALLED)]
        self.register()
        self.spare = free_port()  # of the gateway of proxies that come and go
        names = [f"web{number}" for number in range(CALLED)] + [f"svc{number}" for number in range(self.services)]
        self.documents.write("gateways.yaml", together(gateway(self.port), gateway(self.spare, "spare")))
        self.documents.write("routes.yaml", together(*(route(name, gateway="edge, spare") for name in names)))
        self.hosts = [f"{each.name}.example.com" for each in self.web]

    def register(self, services=None):
        self.consul.fill(self.services if services is None else services)
        for upstream in self.web:
            self.consul.register(upstream.name, upstream.port)

    def deregister(self, names):
        """All instances of these in as few steps as Consul takes."""
        places = {f"svc{number}": (f"fill-{number % 10}", f"svc{number}-0") for number in range(self.services)}
        places |= {each.name: ("node-1", f"{each.name}-{each.port}") for each in self.web}
        operations = [{"Service": {"Verb": "delete", "Node": places[name][0],
                                   "Service": {"ID": places[name][1], "Service": name}}} for name in names]
        for start in range(0, len(operations), 62):
            self.consul.put("/v1/txn", operations[start:start + 62])

    def follow(self, *flags, agent=None, **options):
        """Signalbox, of this Consul or of what stands before it."""
        self.server = self.signalbox("--consul", "--consul-address", agent or self.consul.url,
                                     "--catalog-allow-addresses", "127.0.0.0/8", *flags, **options)
        return self.server

    def proxied(self):
        """An Envoy that holds everything."""
        self.proxy = self.envoy(self.server)
        self.server.wait_settled("edge-1")
        for host in self.hosts:
            self.proxy.wait_route(self.port, host)
        eventually(lambda: self.endpoints(self.proxy) == self.services + CALLED, 10, "every endpoint is there")
        self.before = self.moves()
        self.assertGreater(len(self.before), self.services, "counters found")
        return self.proxy

    def newcomer(self, number):
        """An Envoy of the other gateway, not yet started."""
        proxy = Envoy.of(self.server, self.scratch, node=f"spare-{number}", name=f"spare-{number}")
        self.processes.append(proxy)
        return proxy

    def load(self):
        return Load(self.port, self.hosts, RATE)

    @staticmethod
    def endpoints(proxy):
        """How many there are in clusters that are in use."""
        return sum(proxy.stats(r"cluster\.(web|svc)\d+\.membership_total$").values())

    def moves(self):
        return self.proxy.stats(MOVES)

    def assert_unmoved(self, when=""):
        """Envoy has been told nothing new."""
        after = self.moves()
        moved = {name: (count, after.get(name)) for name, count in self.before.items() if after.get(name) != count}
        moved |= {name: (None, count) for name, count in after.items() if name not in self.before}
        self.assertEqual(moved, {}, f"what moved in Envoy {when}")

    def source(self):
        """What /state says of Consul."""
        return next(each for each in self.server.state()["sources"] if each["name"] == "consul")

    def wait_source(self, state, timeout=10.0):
        """Seconds until /state says so."""
        def told():
            source = self.source()
            if source["state"] != state:
                raise AssertionError(source)
            return True

        began = time.monotonic()
        eventually(told, timeout, f"the source is {state}")
        return time.monotonic() - began

    def follows(self, timeout=10.0, began=None):
        """Seconds until a change that is made now (or was made at `began`) is in the traffic; it is taken back."""
        host = self.hosts[0]
        began = began or self.change()
        try:
            eventually(lambda: once(self.port, host).body == "changed", timeout, "a change is in the traffic", 0.005)
            took = time.monotonic() - began
            self.assertNotEqual(self.moves(), self.before, "what tells of moves does")
            return took
        finally:
            self.unchange()

    def change(self):
        """The only instance of web0 moves to an upstream that answers otherwise; the moment before."""
        if not any(each.name == "changed" for each in self.upstreams):
            self.upstream("changed")
        began = time.monotonic()
        self.consul.register("web0", self.upstreams[-1].port, f"web0-{self.web[0].port}")
        return began

    def unchange(self):
        self.consul.register("web0", self.web[0].port)

    def unchanged(self):
        """Waits for the end of what `follows` did, and begins to watch for moves again."""
        eventually(lambda: once(self.port, self.hosts[0]).body == "web0", 5, "the change is taken back")
        self.server.wait_settled("edge-1")
        self.before = self.moves()

    def held(self):
        return self.server.state()["held"]

    def some(self, count):
        return random.Random(7).sample([f"svc{number}" for number in range(self.services)], count)
