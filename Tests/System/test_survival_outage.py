"""A1 to A3: Consul is away. Who has a configuration keeps it, who comes gets all of it, nobody is sent an empty one."""

import time

from rig.case import sized
from rig.probe import percentile
from rig.processes import eventually
from rig.signalbox import command
from rig.survival import CALLED, RATE, Survival
from rig.traffic import Load, once

OUTAGE = sized(600, 8)  # seconds
RESTARTS = sized(50, 10)
COMPLETE = 1.0  # seconds from the start of an Envoy until it holds everything
IN_TIME = sized(1, 0.8)  # the part of them that must: a machine that does other things may hold one of them up
RETURNS = 2.0  # seconds from the start of a Signalbox until it serves what was stored
SILENCE = sized(60, 3)  # seconds for which nothing is sent


class Outage(Survival):
    """A1: Consul is down for 10 min [8 s] under load, and Envoys are restarted 50 [10] times meanwhile."""

    def test_proxies_restart_while_Consul_is_down(self):
        self.follow("--catalog-removal-grace-seconds", "5", "--catalog-vanished-grace-seconds", "5")
        self.proxied()
        complete, sent = [], 0
        with self.load() as load:
            self.consul.kill()
            began = time.monotonic()
            noticed = self.wait_source("down")
            for number in range(RESTARTS):
                took, requests = self.restart(number)
                complete.append(took)
                sent += requests
                self.assertEqual(self.server.get("/ready")[0], 200)
                time.sleep(max(0, began + OUTAGE * (number + 1) / RESTARTS - time.monotonic()))
            lasted = time.monotonic() - began
            self.assertEqual(self.server.metric("signalbox_source_up", source="consul"), 0)
            self.assert_unmoved("while Consul was down")
            self.consul.start()
            back = time.monotonic()
            self.wait_source("up")
            self.assert_unmoved("when Consul was back")
            up = time.monotonic() - back
            follows = self.follows()
        self.assert_none_failed(load, int(RATE * lasted / 2))
        self.note(f"{lasted:.0f} s down, said so after {noticed:.1f} s; {RESTARTS} restarted Envoys complete after "
                  f"{percentile(complete, .5):.2f} s, {max(complete):.2f} s at most (of {COMPLETE} s); 0 of {sent} "
                  f"requests to them failed, 0 of {len(load.responses):,} elsewhere; up {up:.1f} s after Consul, "
                  f"then a change in {follows:.2f} s")
        self.assertLessEqual(percentile(complete, IN_TIME), COMPLETE)
        said = [line for line in self.server.log.read_text().splitlines() if "source is down" in line]
        self.assertEqual(len(said), 1, "how often the log says that it is down")

    def restart(self, number):
        """Seconds until a new Envoy has everything, and the requests that it answered well."""
        proxy = self.newcomer(number)
        began = time.monotonic()
        proxy.start()
        first = eventually(lambda: (answer := once(self.spare, self.hosts[0])).status and answer, 10,
                           "a listener", interval=0.02)
        self.assertEqual(first.status, 200, "the first answer of a restarted Envoy")
        eventually(lambda: self.endpoints(proxy) == self.services + CALLED, 10, "everything is there", 0.02)
        took = time.monotonic() - began
        with Load(self.spare, self.hosts, RATE, limit=RATE // 5) as load:
            load.join()
        self.assert_none_failed(load, RATE // 5)
        proxy.kill()
        return took, len(load.responses)


class Restart(Survival):
    """A2 and A3: Signalbox itself is restarted while Consul is down: with what it stored, with that tampered with, and
    with nothing."""

    def test_Signalbox_restarts_while_Consul_is_down(self):
        state = self.scratch / "state"
        self.follow("--state-directory", str(state))
        self.proxied()
        with self.load() as load:
            eventually(lambda: self.stored(state).count(b'"svc') >= self.services, 5, "the catalog is stored")
            self.consul.kill()
            self.wait_source("down")
            self.starts_from_disk()
            self.is_refused(state)
            self.sends_nothing(state)
            self.consul.start()
            began = time.monotonic()
            eventually(lambda: self.server.get("/ready")[0] == 200, 10, "ready as soon as Consul is")
            ready = time.monotonic() - began
            self.server.wait_settled("edge-1", 35)
            self.assert_unmoved("when everything was back")
            self.follows()
        self.assert_none_failed(load, RATE * 3)
        self.note(f"ready {ready:.1f} s after Consul; 0 of {len(load.responses):,} requests failed")

    @staticmethod
    def stored(state):
        return (state / "catalog.json").read_bytes()

    def again(self, ready=True):
        """Killed, and started. The seconds until it serves."""
        self.server.kill()
        began = time.monotonic()
        self.server.start(ready)
        return time.monotonic() - began

    def starts_from_disk(self):
        """A2: what is stored stands in, at once and with its age."""
        took = []
        for _ in range(sized(10, 2)):
            took.append(self.again())
            self.server.wait_settled("edge-1", 35)
            self.assert_unmoved("by a Signalbox that started from what it stored")
        age = self.source()["storedAgeSeconds"]
        self.assertGreaterEqual(age, 0)
        said = command("catalog", "status", "--admin", f"127.0.0.1:{self.server.admin_port}")
        self.assertIn(f"services and config entries stored {age} s ago stand in",
                      said.stdout.replace(f"stored {age + 1} s", f"stored {age} s"))
        self.assertIn("SB304", {each["code"] for each in self.server.diagnostics()})
        fresh = self.newcomer(1).start()
        began = time.monotonic()
        eventually(lambda: self.endpoints(fresh) == self.services + CALLED, 10, "a new Envoy has everything")
        fresh.kill()
        self.note(f"served what was stored {max(took):.2f} s after the start (of {RETURNS} s), a new Envoy complete "
                  f"after {time.monotonic() - began:.2f} s")
        self.assertLessEqual(max(took), RETURNS)

    def is_refused(self, state):
        """A2: with one bit changed it is not used, and that is said."""
        self.server.kill()
        data = bytearray(self.stored(state))
        data[len(data) // 2] ^= 1
        (state / "catalog.json").write_bytes(data)
        self.again(ready=False)
        eventually(lambda: "SB305" in {each["code"] for each in self.server.diagnostics()}, 5, "SB305")
        self.assertEqual(self.server.get("/ready")[0], 503)
        self.assertTrue((state / "catalog.json.refused").exists())

    def sends_nothing(self, state):
        """A3: nothing is stored. An empty answer would take everything away from a running Envoy."""
        self.server.kill()
        for left in state.iterdir():
            left.unlink()
        self.again(ready=False)
        fresh = self.newcomer(2).start()
        eventually(lambda: self.server.get("/live")[0] == 200, 5, "it lives")
        began = time.monotonic()
        connected = False
        while time.monotonic() - began < SILENCE or not connected:
            self.assertEqual(self.server.get("/ready")[0], 503)
            self.assertEqual(self.server.metric("signalbox_xds_resources_sent_total"), 0)
            connected = connected or {"edge-1", "spare-2"} <= {
                stream.get("node", {}).get("id") for stream in self.server.streams()}
            self.assertLess(time.monotonic() - began, SILENCE + 35, "seconds until both Envoys are connected")
            time.sleep(0.2)
        taken = fresh.stats(r"(cluster_manager.cds|listener_manager.lds).update_success")
        self.assertEqual((len(taken), sum(taken.values())), (2, 0), "answers that a new Envoy got")
        self.assert_unmoved("by a Signalbox that knows nothing")
        fresh.kill()
        self.note(f"nothing sent and not ready for {time.monotonic() - began:.0f} s with nothing stored")
