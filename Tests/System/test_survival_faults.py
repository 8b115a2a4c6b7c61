"""A8 and A10: what answers in Consul's place is broken, or lies about its index."""

import random
import time
from pathlib import Path

from rig import fault_proxy
from rig.bystander import cpu_seconds, peak_megabytes
from rig.case import SOAK, sized
from rig.fault_proxy import FaultProxy
from rig.processes import eventually
from rig.survival import RATE, Survival
from rig.traffic import once

LASTS = sized(60, 1)  # seconds of each fault, after it was said
# A second, meanwhile; one second may also have one for each service, on its way when the fault was said.
REQUESTS = sized(2, 70)
SAID = 7.0  # seconds until a fault is said
GROWTH = 50  # megabytes
HEALED = sized(2.0, 4.0)  # seconds until a change is followed after a fault; a debug build reads 32 MiB for one or two
LIES = sized(30, 1.5)  # seconds of each wrong index
SEEN = 2.0  # seconds until a change that was made under a wrong index is in the traffic
BUSY = 0.5  # of a core: no wrong index makes a loop
SETTLES = 2.0  # seconds until an index that is wrong all the time is asked for seldom
SELDOM = 30  # requests a second, for all that is followed

BROKEN = {
    "500": fault_proxy.status(500),
    "429": fault_proxy.status(429, "Your IP is issuing too many concurrent connections"),
    "garbage": fault_proxy.garbage,
    "JSON of another kind": fault_proxy.wrong_json,
    "HTML": fault_proxy.html,
    "truncated": fault_proxy.truncated,
    "closed": fault_proxy.cut,
    "1 GB announced": fault_proxy.endless(chunked=False),
}
# Only time tells of these.
SLOW = {"1 byte/s": fault_proxy.drips, "1 GB": fault_proxy.endless()} | (
    {"silence": fault_proxy.silent} if SOAK else {})


class OfFaults(Survival):
    services = 60
    # Consul goes on with a blocking query whose client has left, and counts its connection: faults that follow each
    # other as closely as here would come to the 200 that a client may have.
    consul_settings = {"limits": {"http_max_conns_per_client": 2_000}}

    def setUp(self):
        super().setUp()
        self.agent = FaultProxy(self.consul.address)
        self.addCleanup(self.agent.stop)
        # A removal that was believed would be applied at once.
        self.follow("--catalog-removal-percent", "0", "--catalog-vanished-grace-seconds", "0", agent=self.agent.url)
        self.proxied()

    def tearDown(self):
        self.agent.set(None)
        super().tearDown()


class Faults(OfFaults):
    def test_an_agent_that_is_broken(self):
        child, faults = self.server.child.pid, BROKEN | SLOW
        self.rates, self.growths, self.took, self.bursts = {}, {}, {}, {}
        with self.load() as load:
            for name, fault in faults.items():
                with self.subTest(name):
                    try:
                        self.breaks(name, fault)
                    finally:
                        self.heals(name)
        self.assertEqual((self.server.child.pid, self.server.running), (child, True))
        self.assert_none_failed(load, RATE * len(faults))
        largest, slowest = max(self.growths, key=self.growths.get), max(self.took, key=self.took.get)
        self.note(f"{len(faults)} faults, {max(self.rates.values()):.1f} requests a second at most (of {REQUESTS}; "
                  f"{max(self.bursts.values())} before it was said), +{self.growths[largest]:.0f} MB at most "
                  f"(of {GROWTH}: {largest}), nothing removed; a change followed {self.took[slowest]:.1f} s after at "
                  f"most (of {HEALED}: {slowest}); 0 of {len(load.responses):,} requests failed")

    def breaks(self, name, fault):
        """The requests a second that the agent gets while it is broken, and by how much the memory grows."""
        before = self.server.resident_megabytes()
        Path(f"/proc/{self.server.child.pid}/clear_refs").write_text("5")  # the peak is counted from here
        began = time.monotonic()
        self.agent.set(fault)
        eventually(lambda: self.source()["state"] != "up", SAID, f"{name}: it is said", 0.05)
        said = time.monotonic()
        self.bursts[name] = len(self.agent.since(began))
        # Which may not be seen, and must do no harm.
        self.change()
        self.unchange()
        while time.monotonic() - said < LASTS:
            self.assert_unmoved(name)
            self.assertTrue(self.server.running)
            time.sleep(0.1)
        self.rates[name] = len(self.agent.since(said)) / (time.monotonic() - said)
        self.growths[name] = peak_megabytes(self.server) - before
        self.assertLessEqual(self.rates[name], REQUESTS, f"{name}: requests a second")
        self.assertLessEqual(self.growths[name], GROWTH, f"{name}: megabytes")

    def heals(self, name):
        self.agent.set(None)
        began = time.monotonic()
        eventually(lambda: self.source()["state"] == "up", 10, f"{name}: up again", 0.02)
        self.assert_unmoved(f"{name}, healed")
        self.follows()
        self.took[name] = time.monotonic() - began
        self.unchanged()
        self.assertLessEqual(self.took[name], HEALED, name)


class WrongIndex(OfFaults):
    """A10: the answers are true, and their index is not."""

    def test_an_index_that_lies(self):
        chance = random.Random(5)
        lies = {
            "falls": lambda true: max(1, true - chance.randrange(true)),
            "is 0": lambda true: 0,
            "is not there": lambda true: None,
            "stands": lambda true, first=[]: (first.append(true), first[0])[1],
            "is beyond": lambda true: true + 1_000_000,
            "is beyond all": lambda true: (1 << 64) - 1,
            "jumps": lambda true: chance.randrange(1 << 32),
        }
        self.seen, self.rates, self.busy = {}, {}, {}
        with self.load() as load:
            for name, lie in lies.items():
                with self.subTest(name):
                    try:
                        self.lies(name, lie)
                    finally:
                        self.agent.set(None)
                        self.unchange()
                        self.wait_source("up")
                        self.unchanged()
        self.assert_none_failed(load, RATE * len(lies))
        regressions = self.server.metric("signalbox_source_index_regressions_total", source="consul")
        slowest, most = max(self.seen, key=self.seen.get), max(self.rates, key=self.rates.get)
        self.note(f"{len(lies)} lies, a change was seen {self.seen[slowest]:.2f} s after the index was true again at "
                  f"most (of {SEEN}: it {slowest}); {self.rates[most]:.0f} requests a second at most (it {most}), "
                  f"{max(self.busy.values()) * 100:.0f} % of a core; {regressions:.0f} regressions; "
                  f"0 of {len(load.responses):,} requests failed")
        self.assertGreater(regressions, 0)

    def lies(self, name, lie):
        began, cpu = time.monotonic(), cpu_seconds(self.server)
        self.agent.set(fault_proxy.index(lie))
        time.sleep(LIES - 0.5)
        self.assert_unmoved(f"the index {name}")
        self.change()
        time.sleep(0.5)
        if LIES > 2 * SETTLES:
            self.rates[name] = len(self.agent.since(began + SETTLES)) / (LIES - SETTLES)
            self.assertLessEqual(self.rates[name], SELDOM, f"the index {name}: requests a second")
        else:
            self.rates[name] = len(self.agent.since(began)) / LIES
        self.busy[name] = (cpu_seconds(self.server) - cpu) / LIES
        self.agent.set(None)
        healed = time.monotonic()
        eventually(lambda: once(self.port, self.hosts[0]).body == "changed", 10, f"the index {name}: a change", 0.005)
        self.seen[name] = time.monotonic() - healed
        self.assertLessEqual(self.seen[name], SEEN, f"the index {name}")
        self.assertLessEqual(self.busy[name], BUSY, f"the index {name}: of a core")
