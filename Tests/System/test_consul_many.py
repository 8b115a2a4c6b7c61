"""Thousands of services: few connections, changes that arrive at once, and nothing to do while nothing happens."""

import random
import time

from rig import documents as text
from rig.bystander import cpu_seconds
from rig.case import sized
from rig.consul import Connections
from rig.consul_case import STAYS, ConsulTest, answers, never
from rig.probe import Probe
from rig.processes import eventually
from rig.tls import Authority
from rig.traffic import Load

SERVICES, INSTANCES = sized((5_000, 10), (2_000, 1))
# What 50 connections are to be enough for: more than have a question of their own over TLS (5,100).
MOST, ROUNDS_OF_MOST = sized((10_000, 50), (3_000, 2))
STABLE = 500
LIVE = 20  # services whose requests are looked at
ROUNDS = sized(100, 5)
WITHIN = 250  # ms, the 99th percentile
# Of what Consul does not say whose it is: all services may have to be asked, which a debug build takes its time for.
SEARCHED = sized(1_000, 3_000)
SEARCHED_OF_MOST = 2 * SEARCHED  # as there are twice as many
CONNECTIONS = 50
MEGABYTES = 400
IDLE = sized(60, 5)  # seconds
FLAPPING, BEFORE, A_SECOND, PUSHES = sized(30, 5), sized(10, 3), 20, 10  # seconds, and how often in one
SETTLING = 1  # seconds, until the pushes that a rest allows are used up
# Of a core, for what Envoy does beside the requests: 1.4 % was measured, and 5 % for 17 pushes/s of all 500 routes.
BUSY = 0.03


class OfMany(ConsulTest):
    tls = False

    def setUp(self):
        super().setUp()
        self.catalog = self.consul(authority=Authority(self.scratch) if self.tls else None)
        self.first, self.second = self.upstream("first"), self.upstream("second")
        self.random = random.Random(1)

    def begin(self, services, instances):
        self.catalog.fill(services, instances)
        self.live = self.random.sample([f"svc{number}" for number in range(services)], LIVE)
        for name in self.live:
            for copy in range(instances):
                node = f"fill-{(int(name[3:]) * instances + copy) % 10}"
                self.catalog.deregister(name, 0, f"{name}-{copy}", node=node)
            self.register(name, self.first)
            self.documents.write(f"{name}.yaml", text.route(name))
        self.probes = {name: Probe(self.port, f"{name}.example.com") for name in self.live}
        begin = time.monotonic()
        server = self.following(self.catalog, start=False).start(ready=False)
        self.connections = Connections(self.catalog, server)
        self.addCleanup(self.connections.stop)
        server.wait_ready(60)
        ready = time.monotonic() - begin
        wanted = (services - LIVE) * instances + LIVE
        eventually(lambda: server.metric("signalbox_source_instances") == wanted, 60, "all instances are known")
        self.note(f"{services} services, {wanted} instances: ready after {ready:.1f} s")
        self.proxy = self.envoy(server)
        for name in self.live:
            self.probes[name].until(answers(self.first))
        return server

    def register(self, name, upstream, **fields):
        self.catalog.register(name, upstream.port, f"{name}-{upstream.name}", **fields)

    def flip(self, name, status):
        self.catalog.check(name, 0, status, f"{name}-second")

    def change(self, name):
        """Each kind of change of a service, and back."""
        probe = self.probes[name]
        heavy = {"Weights": {"Passing": 60_000, "Warning": 1}}
        self.measure("registration", probe, lambda: self.register(name, self.second), answers(self.second))
        self.measure("check flip", probe, lambda: self.flip(name, "critical"), never(self.second), STAYS)
        self.measure("check flip", probe, lambda: self.flip(name, "passing"), answers(self.second))
        self.measure("weight", probe, lambda: self.register(name, self.second, **heavy), never(self.first), STAYS)
        self.measure("weight", probe, lambda: self.register(name, self.second), answers(self.first))
        self.measure("deregistration", probe, lambda: self.catalog.deregister(name, 0, f"{name}-second"),
                     never(self.second), STAYS)

    def thousands(self):
        server = self.begin(SERVICES, INSTANCES)
        for _ in range(ROUNDS):
            self.change(self.random.choice(self.live))
        self.note(f"{server.resident_megabytes():.0f} MB")
        self.idle(server)
        self.assert_few_connections(server)
        self.assertLessEqual(server.resident_megabytes(), MEGABYTES)
        self.assertEqual(server.state()["held"], [])
        return server

    def most(self):
        """Too many for a question each, whatever the connections are."""
        server = self.begin(MOST, 1)
        # Whoever changed lately has a connection: more than there are.
        stirred = self.random.sample([f"svc{number}" for number in range(MOST)], 2 * CONNECTIONS)
        instances, begin = server.metric("signalbox_source_instances"), time.monotonic()
        for name in stirred:
            self.catalog.register(name, self.first.port, f"{name}-more", node="node-2")
        wanted = instances + len(stirred)
        eventually(lambda: server.metric("signalbox_source_instances") == wanted, 60, "one more of each is known")
        self.note(f"{len(stirred)} changes at once known after {time.monotonic() - begin:.1f} s; "
                  f"{server.resident_megabytes():.0f} MB")
        for _ in range(ROUNDS_OF_MOST):
            self.change(self.random.choice(self.live))
        self.assert_few_connections(server)
        self.assertEqual(server.state()["held"], [])
        self.assert_took(SEARCHED_OF_MOST)

    def assert_few_connections(self, server):
        """At no moment since the start more than were promised, and Consul has ended none of them."""
        watched = self.connections
        watched.stop()
        errors = server.metric("signalbox_source_errors_total", source="consul")
        self.note(f"{watched.most} connections at most of {CONNECTIONS} ({watched.looks:,} looks), {errors:.0f} errors")
        self.assertGreater(watched.looks, 100)
        self.assertLessEqual(watched.most, CONNECTIONS)
        self.assertEqual(errors, 0, "questions without an answer")

    def idle(self, server):
        """When what the last changes may have hidden has been looked for, which begins after a few seconds."""
        time.sleep(6)
        eventually(lambda: self.asked_in_a_second(server) < 3, 60, "a second of rest")
        asked, ours, theirs = self.requests(server), cpu_seconds(server), cpu_seconds(self.catalog)
        time.sleep(IDLE)
        asked = (self.requests(server) - asked) / IDLE
        shares = [(cpu_seconds(self.catalog) - theirs) / IDLE, (cpu_seconds(server) - ours) / IDLE]
        self.note(f"idle: {asked:.1f} requests/s, CPU {shares[1]:.1%}, Consul's {shares[0]:.1%}")
        self.assertLess(asked, 3, "requests a second while nothing changes")

    def asked_in_a_second(self, server):
        before = self.requests(server)
        time.sleep(1)
        return self.requests(server) - before

    @staticmethod
    def requests(server):
        return server.metric("signalbox_source_requests_total", source="consul")


class OneByOne(OfMany):
    """Without HTTP/2, what Consul does not say whose it is has to be searched for."""

    def test_thousands_of_services(self):
        self.thousands()
        searched = {kind: self.took.pop(kind) for kind in ("registration", "weight")}
        self.assert_took(WITHIN)
        self.took = searched
        self.assert_took(SEARCHED)

    def test_ten_thousand_services(self):
        self.most()

    def test_a_check_that_flaps(self):
        # Envoy holds all of them: were it told everything at each flip, that would cost it.
        self.documents.write("all.yaml", text.together(
            *(text.route(f"all{number}", service=f"svc{number}") for number in range(STABLE))))
        server = self.begin(STABLE, 1)
        flapping, *others = self.live
        self.register(flapping, self.second)
        self.probes[flapping].until(answers(self.second))
        serving = self.busy_before(others)
        with Load(self.port, [f"{name}.example.com" for name in self.live], rate=100) as load:
            begin, flips, waiting = time.monotonic(), 0, None
            settled, pushed = None, 0
            while time.monotonic() < begin + SETTLING + FLAPPING:
                if settled is None and time.monotonic() > begin + SETTLING:
                    settled, pushed = time.monotonic(), self.pushes(server)
                    busy = cpu_seconds(self.proxy)
                self.flip(flapping, "critical" if flips % 2 else "passing")
                flips += 1
                waiting = self.other(others, waiting)
                time.sleep(max(0, begin + flips / A_SECOND - time.monotonic()))
            seconds = time.monotonic() - begin
            # The one that was due when the count began is not of this time.
            pushed = (self.pushes(server) - pushed - 1) / (time.monotonic() - settled)
            busy = (cpu_seconds(self.proxy) - busy) / (time.monotonic() - settled)
        self.note(f"{flips / seconds:.0f} flips/s: {pushed:.1f} pushes/s, Envoy's CPU {busy:.1%}, "
                  f"{serving:.1%} before")
        self.assertGreater(flips / seconds, A_SECOND * 0.8)
        self.assert_none_failed(load, at_least=100)
        self.assertLessEqual(pushed, PUSHES)
        self.assertLessEqual(busy - serving, BUSY, "of a core, for what Envoy does beside the requests")
        self.assertGreater(len(self.took["another service"]), 3)
        self.assert_took(1000)

    def busy_before(self, others):
        """What Envoy needs of a core for the requests alone, with as many as are sent later."""
        with Load(self.port, [f"{name}.example.com" for name in self.live], rate=100):
            busy, begin = cpu_seconds(self.proxy), time.monotonic()
            for number in range(BEFORE * A_SECOND):
                self.probes[others[0]].ask()
                time.sleep(max(0, begin + number / A_SECOND - time.monotonic()))
            return (cpu_seconds(self.proxy) - busy) / (time.monotonic() - begin)

    def other(self, others, waiting):
        """Registers an instance of another service, or asks whether it is there by now, without waiting for it."""
        if waiting is None:
            name = self.random.choice(others)
            self.register(name, self.second)
            return name, time.monotonic()
        name, since = waiting
        for _ in range(4):
            if self.probes[name].ask() == (200, "second"):
                self.took.setdefault("another service", []).append((time.monotonic() - since) * 1000)
                self.catalog.deregister(name, 0, f"{name}-second")
                return None
        return waiting

    @staticmethod
    def pushes(server):
        return server.metric("signalbox_xds_responses_total")


class Multiplexed(OfMany):
    """With TLS there is HTTP/2, and each service has a question of its own."""

    tls = True

    def test_thousands_of_services_with_tls(self):
        server = self.thousands()
        self.assert_took(WITHIN)
        # Whoever has changed a moment ago is asked, if nobody else explains what comes next.
        self.assertLessEqual(self.searches(server), max(2, ROUNDS // 10))
        self.catalog.kill()
        self.catalog.start()
        eventually(lambda: self.source(server)["state"] == "up", 20, "Consul is followed again")
        for name in self.live[:3]:
            self.change(name)
        self.assertEqual(server.state()["held"], [])

    def test_ten_thousand_services_with_tls(self):
        self.most()

    @staticmethod
    def searches(server):
        return server.metric("signalbox_source_searches_total", source="consul")
