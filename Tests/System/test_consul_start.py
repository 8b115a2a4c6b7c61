"""Signalbox starts without anything stored beside an Envoy that serves, and cannot read what Consul lists."""

import time

from rig import documents as text
from rig import fault_proxy
from rig.consul_case import LOOPBACK, ConsulTest, answers
from rig.fault_proxy import FaultProxy
from rig.probe import Probe
from rig.processes import eventually
from rig.signalbox import Signalbox, command

PATIENCE = 15  # seconds that a start waits for a service that may be left out
WATCHED = PATIENCE + 8
OTHERS = 9


class ConsulStart(ConsulTest):
    def setUp(self):
        super().setUp()
        self.catalog = self.consul()
        self.web = self.upstream("web")
        self.catalog.register("web", self.web.port)
        self.catalog.fill(OTHERS)
        self.documents.write("web.yaml", text.route("web"))
        self.agent = FaultProxy(self.catalog.address)
        self.addCleanup(self.agent.stop)
        self.first = self.following(self.catalog)
        self.envoy(self.first)
        self.probe = Probe(self.port, "web.example.com")
        self.probe.until(answers(self.web))
        self.first.kill()

    def start(self, *flags):
        self.server = Signalbox(self.scratch, self.documents, "--consul", "--consul-address", self.agent.url, *LOOPBACK,
                                *flags, xds=self.first.xds, name="second")
        self.processes.append(self.server)
        self.server.start(ready=False)

    def assert_waits(self, *words):
        """Envoy is told nothing, for longer than the start waits for anything, and everybody is told why."""
        def said():
            status, body = self.server.get("/ready")
            self.assertEqual(status, 503)
            return all(word in body for word in words)

        eventually(said, 10, f"/ready says {words}")
        end = time.monotonic() + WATCHED
        while time.monotonic() < end:
            self.assertEqual(self.probe.ask(), (200, "web"))
            time.sleep(0.2)
        self.assertTrue(said(), self.server.get("/ready"))
        status = command("catalog", "status", "--admin", f"127.0.0.1:{self.server.admin_port}").stdout
        log = self.server.log.read_text()
        for word in words:
            self.assertIn(word, status)
            self.assertIn(word, log)

    def assert_follows(self):
        self.server.wait_ready()
        other = self.upstream("other")
        self.catalog.register("web", other.port, f"web-{self.web.port}")
        self.probe.until(answers(other))

    def fails(self, code, *services):
        """The agent answers so about these services; about all, if none is named."""
        wanted = tuple(f"/v1/health/service/{name}" for name in services or [""])
        reply = fault_proxy.status(code, "rpc error: rate limit exceeded")

        async def answers(exchange):
            isMeant = exchange.path.split("?")[0].startswith(wanted)
            await (reply if isMeant else fault_proxy.passes)(exchange)

        self.agent.set(answers)

    def test_a_filter_that_Consul_refuses(self):
        self.start("--consul-filter", "Service.Port = 1")
        self.assert_waits("nothing is sent to proxies before Consul takes the filter", "correct consul.filter")

    def test_an_agent_that_limits_the_rate(self):
        self.fails(429)
        self.start()
        self.assert_waits("429", "nothing is sent to proxies before the agent answers this")
        self.agent.set(None)
        self.assert_follows()

    def test_an_agent_that_fails_for_one_service(self):
        self.fails(500, "web")
        self.start()
        self.assert_waits("the service web", "500", "nothing is sent to proxies before the agent answers this")
        self.agent.set(None)
        self.assert_follows()

    def test_a_token_that_may_read_few_services(self):
        self.fails(403, "svc")
        self.start()
        self.assert_waits("nothing is sent to proxies before at least half of the services can be read")
        self.agent.set(None)
        self.assert_follows()

    def test_one_service_that_may_not_be_read(self):
        self.fails(403, "svc3")
        began = time.monotonic()
        self.start()
        eventually(lambda: "the start waits for that for 15 s" in self.server.get("/ready")[1], 10, "it says so")
        eventually(lambda: self.server.get("/ready")[0] == 200, PATIENCE + 10, "it goes on without it")
        took = time.monotonic() - began
        self.note(f"ready after {took:.1f} s")
        self.assertGreater(took, PATIENCE - 1)
        self.assert_follows()
