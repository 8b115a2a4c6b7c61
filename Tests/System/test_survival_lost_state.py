"""A4, A5 and A7: Consul forgets its catalog, for a moment, for good, or because it was told to."""

import shutil
import time

from rig.case import sized
from rig.processes import eventually
from rig.signalbox import command
from rig.survival import RATE, Survival
from rig.traffic import once

ROUNDS = sized(20, 5)
OCCURS = sized(1, 0)  # of these rounds, at least, with what they are for: chance decides of each
RETURNS = sized(30, 2)  # seconds over which services register again
GRACE = sized(60, 5)  # seconds that removals are held
APPLIED = 2.0  # seconds until a removal is in the traffic that nothing holds


class HalfACatalog(Survival):
    """A4: for a moment after its start Consul answers from half of its state. Killed 20 [5] times, it takes nothing
    from Envoy."""

    services = 300

    def register(self, services=None):
        # One by one: what Consul replays at its start are the steps, and it answers between them.
        for number in range(self.services):
            self.consul.register(f"svc{number}", 8000, f"svc{number}-0", f"10.1.{number // 250}.{number % 250 + 1}")
        super().register(services=0)

    def test_Consul_is_killed_again_and_again(self):
        self.follow("--catalog-removal-percent", "0", "--catalog-vanished-grace-seconds", "0")  # nothing is held
        self.proxied()
        partial, took = [], []
        with self.load() as load:
            for number in range(ROUNDS):
                self.consul.kill()
                self.wait_source("down")
                self.consul.start(ready=False)
                partial.append(self.fewest())
                took.append(self.wait_source("up", 30))
                time.sleep(0.5)
                self.assert_unmoved(f"in round {number + 1}")
            follows = self.follows()
        self.assert_none_failed(load, RATE * ROUNDS // 2)
        regressions = self.server.metric("signalbox_source_index_regressions_total", source="consul")
        halves = sum(count < self.services for count in partial)
        self.note(f"{ROUNDS} kills, {halves} times half a catalog was to be seen (fewest services: "
                  f"{min(partial)} of {self.services}), nothing removed; {regressions:.0f} index regressions; "
                  f"0 of {len(load.responses):,} requests failed; a change in {follows:.2f} s after the last")
        self.assertGreaterEqual(halves + regressions, OCCURS, "halves of a catalog, or lower indexes, that were seen")

    def fewest(self):
        """The smallest list of services that somebody who asks carelessly is given in the first moments."""
        fewest, complete, deadline = self.services, 0, time.monotonic() + 20
        while complete < 10 and time.monotonic() < deadline:
            try:
                status, _, body = self.consul.request("GET", "/v1/catalog/services?stale")
            except OSError:
                time.sleep(0.002)
                continue
            count = body.count(b'"svc') if status == 200 else 0
            complete = complete + 1 if count == self.services else 0
            if status == 200:
                fewest = min(fewest, count)
        return fewest


class Emptied(Survival):
    """A5: Consul comes back with nothing. What it knew stays for the grace, and the services register again."""

    services = 100

    def test_Consul_loses_all_it_knew(self):
        self.follow("--catalog-removal-grace-seconds", GRACE, "--catalog-vanished-grace-seconds", GRACE)
        self.proxied()
        gone = self.services // 10  # services that never come back
        with self.load() as load:
            self.consul.kill()
            shutil.rmtree(self.consul.data)
            self.consul.start()
            began = time.monotonic()
            # One after the other: each service that is listed no more is asked for by its name.
            eventually(lambda: sum(each["emptied"] for each in self.held()) == self.services + len(self.web), 5,
                       "all removals are held")
            noticed = time.monotonic() - began
            self.assert_unmoved("when Consul knew nothing")
            self.assertIn("SB302", {each["code"] for each in self.server.diagnostics()})
            for step in range(10):
                self.consul.fill((self.services - gone) * (step + 1) // 10)
                time.sleep(max(0, began + RETURNS * (step + 1) / 10 - time.monotonic()))
            for upstream in self.web:
                self.consul.register(upstream.name, upstream.port)
            eventually(lambda: sum(each["emptied"] for each in self.held()) == gone, 5,
                       "what came back is released, and no more is held than what did not")
            self.assert_unmoved("while services came back")
            eventually(lambda: not self.held(), GRACE + 5, "the rest is released")
            released = time.monotonic() - began
            eventually(lambda: self.endpoints(self.proxy) == self.services - gone + len(self.web), 5, "what is left")
            self.assertEqual(once(self.port, f"svc{self.services - 1}.example.com").status, 503)
            self.assertNotIn("SB302", {each["code"] for each in self.server.diagnostics()})
        self.assert_none_failed(load, RATE * RETURNS // 2)
        self.assertGreaterEqual(released, GRACE - 1)
        log = self.server.log.read_text()
        self.assertIn("a removal is held", log)
        self.assertIn("what was held is released", log)
        self.note(f"held {noticed:.1f} s after Consul's start; {self.services - gone} services of {self.services} back "
                  f"within {RETURNS} s, the rest released after {released:.1f} s (grace {GRACE} s); 0 of "
                  f"{len(load.responses):,} requests failed")


class MassRemoval(Survival):
    """A7: 60 % of the services are deregistered in a second."""

    services = 100

    def removed(self, *flags):
        """Deregisters 60 % with these settings; the moment, and a host that went and one that stays."""
        self.follow("--catalog-removal-grace-seconds", GRACE, "--catalog-vanished-grace-seconds", GRACE, *flags)
        self.proxied()
        self.remove()

    def remove(self):
        self.began = time.monotonic()
        gone = [f"svc{number}" for number in range(self.services * 6 // 10)]
        self.deregister(gone + [each.name for each in self.web[:6]])
        took = time.monotonic() - self.began
        self.assertLess(took, 1, "seconds for the removals")

    def is_held(self):
        eventually(self.held, APPLIED, "the removals are held")
        with self.load() as load:
            time.sleep(1)
        self.assert_none_failed(load, RATE // 2)
        self.assert_unmoved("while the removals are held")
        self.assertIn("SB302", {each["code"] for each in self.server.diagnostics()})
        self.assertGreater(self.server.metric("signalbox_catalog_removals_held_total"), 0)

    def is_applied(self):
        """Seconds until Envoy has let go of what was removed, and of nothing else."""
        left = self.services * 4 // 10 + 4
        eventually(lambda: self.endpoints(self.proxy) == left, 5, f"{left} endpoints are left")
        took = time.monotonic() - self.began
        statuses = [once(self.port, host).status for host in self.hosts]
        self.assertEqual(statuses, [503] * 6 + [200] * 4)
        self.assertEqual(self.held(), [])
        return took

    def test_held_until_the_operator_accepts(self):
        self.removed()
        self.is_held()
        self.began = time.monotonic()
        done = command("catalog", "accept", "--source", "consul", "--admin", f"127.0.0.1:{self.server.admin_port}")
        self.assertEqual(done.returncode, 0, done.stderr)
        took = self.is_applied()
        self.note(f"accepted and applied within {took:.2f} s (of {APPLIED} s)")
        self.assertLess(took, APPLIED)

        self.register()
        self.server.wait_settled("edge-1")
        eventually(lambda: self.endpoints(self.proxy) == self.services + len(self.web), 10, "everything is back")
        self.before = self.moves()
        self.remove()
        self.is_held()
        eventually(lambda: not self.held(), GRACE + 2, "the grace is over", 0.05)
        released = self.is_applied()
        self.note(f"else held for {released:.1f} s (grace {GRACE} s)")
        self.assertGreaterEqual(released, GRACE - 0.5)

    def test_not_held_with_the_guard_off(self):
        self.removed("--catalog-removal-percent", "0")
        took = self.is_applied()
        self.note(f"applied within {took:.2f} s (of {APPLIED} s)")
        self.assertLess(took, APPLIED)
