"""H3: of two control planes on one Consul, one alone is cut off from it."""

import time

from rig import fault_proxy
from rig.case import sized
from rig.envoy import Envoy
from rig.fault_proxy import FaultProxy
from rig.processes import eventually
from rig.signalbox import command
from rig.survival import CALLED, RATE, Survival
from rig.traffic import Load, once

LASTS = sized(60, 3)  # seconds for which it is cut off, after it said so
SAID = 7.0  # seconds until it says so
FOLLOWS = sized(1.0, 3.0)  # seconds until the other one's proxy has a change
CAUGHT_UP = 5.0  # seconds until both proxies have the same again


class Replica(Survival):
    services = 60

    def setUp(self):
        super().setUp()
        self.moved = self.upstream("moved")
        # What a partition does: nothing comes back, also not to what was asked before.
        self.agents = [FaultProxy(self.consul.address) for _ in range(2)]
        for agent in self.agents:
            self.addCleanup(agent.stop)
        # A removal that was believed would be applied at once.
        flags = "--catalog-removal-percent", "0", "--catalog-vanished-grace-seconds", "0"
        self.other = self.follow(*flags, agent=self.agents[1].url, name="signalbox-other")
        self.cut_off = self.follow(*flags, agent=self.agents[0].url)
        self.proxied()
        self.proxy_of_other = Envoy.of(self.other, self.scratch, node="spare-1", name="envoy-other")
        self.processes.append(self.proxy_of_other)
        self.proxy_of_other.start()
        for host in self.hosts:
            self.proxy_of_other.wait_route(self.spare, host)

    def tearDown(self):
        self.agents[0].set(None)
        super().tearDown()

    def test_one_of_two_control_planes_is_cut_off(self):
        children = [each.child.pid for each in (self.cut_off, self.other)]
        with self.load() as load, Load(self.spare, self.hosts, RATE) as load_of_other:
            began = time.monotonic()
            self.agents[0].set(fault_proxy.silent)
            eventually(lambda: self.source()["state"] != "up", SAID, "it says that it is cut off", 0.05)
            noticed = time.monotonic() - began
            changes, slowest = self.changes()
            self.assert_says_so()
            lasted = time.monotonic() - began
            caught_up = self.heals()
        self.assertEqual(children, [each.child.pid for each in (self.cut_off, self.other) if each.running])
        for each in (load, load_of_other):
            self.assert_none_failed(each, int(RATE * lasted / 2))
        for agent in self.agents:
            self.assertEqual(set(agent.methods), {"GET"}, "what a control plane asks of Consul")
        asked = [agent.methods["GET"] for agent in self.agents]
        self.note(f"cut off for {lasted:.0f} s, said so after {noticed:.1f} s (of {SAID}); meanwhile the other one's "
                  f"proxy had {changes} changes, each after {slowest:.2f} s at most (of {FOLLOWS}); the same in both "
                  f"{caught_up:.2f} s after (of {CAUGHT_UP}); {asked[0]} and {asked[1]} requests, none that writes; "
                  f"0 of {len(load.responses) + len(load_of_other.responses):,} requests failed")

    def changes(self):
        """How many there were of an instance and of a service while one is cut off, and the slowest to reach the other
        one's proxy. The one that is cut off has nothing to tell its own."""
        began, number, slowest = time.monotonic(), 0, 0.0
        while not number or time.monotonic() - began < LASTS:
            to = self.web[0] if number % 2 else self.moved
            at = time.monotonic()
            self.consul.register("web0", to.port, f"web0-{self.web[0].port}")
            eventually(lambda: once(self.spare, self.hosts[0]).body == to.name, 10, "the other one follows", 0.005)
            slowest, number = max(slowest, time.monotonic() - at), number + 1
            self.assertEqual(once(self.port, self.hosts[0]).body, "web0", "by the one that is cut off")
            self.assert_unmoved("by the one that is cut off")
            time.sleep(0.5)
        self.assertLessEqual(slowest, FOLLOWS, "seconds until the other one's proxy has a change")
        # What must be caught up with: an instance elsewhere, one that is gone, and one that is new.
        self.consul.register("web0", self.moved.port, f"web0-{self.web[0].port}")
        self.deregister(["svc7"])
        self.consul.register("svc8", self.moved.port)
        eventually(lambda: self.has_all(self.proxy_of_other, self.spare), 5, "the other one has the last changes")
        self.assert_unmoved("by the one that is cut off")
        return number, slowest

    def assert_says_so(self):
        """As long as it lasts; and the other one says nothing of the kind."""
        found = self.source()
        self.assertEqual((found["state"], found["reason"]), ("down", "timeout"), found)
        self.assertEqual(self.cut_off.metric("signalbox_source_up", source="consul"), 0)
        age = time.time() - self.cut_off.metric("signalbox_source_last_success_timestamp_seconds", source="consul")
        self.assertGreater(age, LASTS, "seconds since Consul answered")
        status = command("catalog", "status", "--admin", f"127.0.0.1:{self.cut_off.admin_port}").stdout
        self.assertRegex(status, "consul.*down")
        self.assertEqual(self.cut_off.get("/ready")[0], 200, "what is in hand is still served")
        self.assertEqual(self.other.metric("signalbox_source_up", source="consul"), 1)

    def heals(self):
        """Seconds until the one that was cut off has told its proxy all that happened."""
        self.agents[0].set(None)
        began = time.monotonic()
        eventually(lambda: self.has_all(self.proxy, self.port), 30, "it catches up", 0.01)
        took = time.monotonic() - began
        self.assertLessEqual(took, CAUGHT_UP)
        eventually(lambda: self.source()["state"] == "up", 5, "it says that it is up")
        self.assertEqual([self.held(), self.other.state()["held"]], [[], []])
        # And goes on from there.
        self.consul.register("web0", self.web[0].port, f"web0-{self.web[0].port}")
        for port in (self.port, self.spare):
            eventually(lambda port=port: once(port, self.hosts[0]).body == "web0", 5, "a change after that")
        return took

    def has_all(self, proxy, port):
        members = proxy.stats(r"cluster\.svc[78]\.membership_total$")
        return (once(port, self.hosts[0]).body == "moved" and self.endpoints(proxy) == self.services + CALLED
                and members == {"cluster.svc7.membership_total": 0, "cluster.svc8.membership_total": 2})
