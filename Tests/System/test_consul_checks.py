"""Nobody gets requests before its check has passed; and a Consul that is not heard takes nothing away."""

import signal
import time

from rig import documents as text
from rig.case import sized
from rig.consul_case import ConsulTest, answers
from rig.probe import Probe
from rig.processes import eventually
from rig.traffic import Load

ROUNDS = sized(50, 4)
PAUSE = 0.2  # seconds, far longer than a change takes
SAID_WITHIN = 10  # seconds


class ConsulChecks(ConsulTest):
    def setUp(self):
        super().setUp()
        self.catalog = self.consul()
        self.first, self.second = self.upstream("first"), self.upstream("second")
        self.catalog.register("web", self.first.port, "first")
        self.documents.write("web.yaml", text.route("web"))

    def test_an_instance_without_a_check_waits_for_one(self):
        self.register()
        self.following(self.catalog)  # without the setting it gets requests, so that the test can see them
        self.envoy(self.processes[-1]).wait_route(self.port, "web.example.com")
        web = Probe(self.port, "web.example.com")
        web.until(answers(self.second))
        self.deregister()
        for process in (self.processes.pop(), self.processes.pop()):
            process.stop()

        server = self.following(self.catalog, "--consul-require-check", "true")
        self.envoy(server).wait_route(self.port, "web.example.com")
        reached, passed = 0, []
        with Load(self.port, "web.example.com", rate=500) as load:
            for _ in range(ROUNDS):
                before = self.second.requests
                self.register()
                time.sleep(PAUSE)
                self.catalog.put("/v1/agent/check/register", {
                    "ID": "alive", "Name": "alive", "ServiceID": "second", "TTL": "60s", "Status": "critical",
                })
                time.sleep(PAUSE)
                reached += self.second.requests - before
                self.catalog.put("/v1/agent/check/pass/alive")
                passed.append(web.until(answers(self.second)) * 1000)
                self.deregister()
                eventually(self.quiet, 5, "no requests for who is gone")
        self.note(f"{reached} requests before the check passed in {ROUNDS} registrations, {max(passed):.0f} ms after")
        self.assertEqual(reached, 0)
        self.assert_none_failed(load, at_least=100)

    def register(self):
        """As Nomad does: the service first, and its check afterwards."""
        self.catalog.put("/v1/agent/service/register", {
            "ID": "second", "Name": "web", "Address": "127.0.0.1", "Port": self.second.port,
        })

    def deregister(self):
        self.catalog.put("/v1/agent/service/deregister/second")

    def quiet(self):
        before = self.second.requests
        time.sleep(0.1)
        return self.second.requests == before

    def test_a_consul_that_is_not_heard(self):
        server = self.following(self.catalog)
        self.envoy(server).wait_route(self.port, "web.example.com")
        web = Probe(self.port, "web.example.com")
        with Load(self.port, "web.example.com", rate=200) as load:
            self.cut(server, web, "stopped", lambda: self.catalog.signal(signal.SIGSTOP),
                     lambda: self.catalog.signal(signal.SIGCONT))
            self.cut(server, web, "killed", self.catalog.kill, self.catalog.start)
        self.assert_none_failed(load, at_least=1000)

    def cut(self, server, web, word, cut, restore):
        cut()
        at = time.monotonic()
        eventually(lambda: self.source(server)["state"] == "down", SAID_WITHIN, f"{word}: /state says so")
        self.note(f"{word}: said after {time.monotonic() - at:.1f} s")
        self.assertTrue(self.source(server)["problem"])
        self.assertEqual(server.get("/ready")[0], 200)
        self.assertEqual(server.metric("signalbox_source_up", source="consul"), 0)
        time.sleep(0.5)
        restore()
        at = time.monotonic()
        eventually(lambda: self.source(server)["state"] == "up", SAID_WITHIN, f"{word}: /state says that it is back")
        self.note(f"heard again after {time.monotonic() - at:.1f} s")
        self.catalog.register("web", self.second.port, "second")
        web.until(answers(self.second))
        self.catalog.deregister("web", 0, "second")
        eventually(self.quiet, 5, "no requests for who is gone")
