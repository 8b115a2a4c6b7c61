"""Nomad decides that an allocation stops; traffic leaves it at once, seconds before Consul hears of it."""

import time
import urllib.request

from rig import documents as text
from rig.case import SystemTest, sized
from rig.consul import Consul, own_address
from rig.nomad_cluster import Consul as Registrar, Wish
from rig.nomad_server import NomadServer
from rig.probe import percentile
from rig.traffic import Load

STOPS, RATE = sized(50, 8), 200
WITHIN = 100  # ms after Nomad's decision, the last request to it
DEREGISTERED_AFTER = 2.0  # seconds, as with shutdown_delay
COPIES = 3  # that run at a time


class Stops(SystemTest):
    def setUp(self):
        super().setUp()
        self.consul = Consul(self.scratch)
        self.processes.append(self.consul)
        self.consul.start()
        self.nomad = NomadServer(own_address()).start()
        self.addCleanup(self.nomad.stop)
        self.nomad.cluster.consul = Registrar(self.consul.url)
        self.documents.write("edge.yaml", text.gateway(self.port))
        self.documents.write("web.yaml", text.route("web"))

    def place(self, provider):
        """One more allocation of the job, on an upstream of its own."""
        upstream = self.upstream(f"copy-{len(self.upstreams)}")
        upstream.allocation = self.nomad.cluster.run(
            f"web-{len(self.upstreams)}", [("127.0.0.1", upstream.port)], [Wish("web", provider)], deployment=False)[0]
        return upstream

    def serve(self, *flags):
        server = self.signalbox("--nomad", "--nomad-address", self.nomad.url, "--catalog-allow-addresses", "127.0.0.0/8", *flags)
        self.envoy(server).wait_route(self.port, "web.example.com")
        return server

    def test_stops_under_load(self):
        running = [self.place("consul") for _ in range(COPIES)]
        server = self.serve("--consul", "--consul-address", self.consul.url)
        decided = []
        with Load(self.port, "web.example.com", rate=RATE) as load:
            time.sleep(0.5)
            for _ in range(STOPS):
                leaving = running.pop(0)
                decided.append((leaving, time.monotonic()))
                self.nomad.cluster.stop(leaving.allocation, deregister_after=DEREGISTERED_AFTER)
                running.append(self.place("consul"))
                time.sleep(0.6)
            time.sleep(DEREGISTERED_AFTER + 0.5)
        self.assert_none_failed(load, RATE)
        late = [self.lateness(load, leaving, at) for leaving, at in decided]
        self.note(f"{len(load.responses):,} requests, {STOPS} stops; the last request p50 {percentile(late, .5):.0f} ms "
                  f"p99 {percentile(late, .99):.0f} ms after the decision")
        self.assertLessEqual(percentile(late, .99), WITHIN)
        self.assertEqual(server.state()["held"], [])

    def test_a_service_of_nomads_own(self):
        running = [self.place("nomad") for _ in range(2)]
        self.serve()
        with Load(self.port, "web.example.com", rate=RATE) as load:
            time.sleep(0.5)
            at = time.monotonic()
            self.nomad.cluster.stop(running[0].allocation, deregister_after=DEREGISTERED_AFTER)
            time.sleep(DEREGISTERED_AFTER + 1)
        self.assert_none_failed(load, RATE)
        self.note(f"the last request {self.lateness(load, running[0], at):.0f} ms after the decision")
        self.assertLessEqual(self.lateness(load, running[0], at), WITHIN)

    def test_without_nomad_consul_goes_on(self):
        first, second = self.place("consul"), self.place("consul")
        server = self.serve("--consul", "--consul-address", self.consul.url)
        self.nomad.stop()
        with Load(self.port, "web.example.com", rate=RATE) as load:
            time.sleep(1)
            urllib.request.urlopen(urllib.request.Request(
                f"{self.consul.url}/v1/agent/service/deregister/{self.nomad.cluster.registered[first.allocation][0]}",
                method="PUT"), timeout=5).close()
            at = time.monotonic()
            time.sleep(1)
        self.assert_none_failed(load, RATE)
        self.assertLessEqual(self.lateness(load, first, at), 1000)
        self.assertGreater(sum(response.body == second.name for response in load.responses), RATE)
        states = {each["name"]: each["state"] for each in server.state()["sources"]}
        self.assertEqual((states["consul"], states["nomad"]), ("up", "down"))

    @staticmethod
    def lateness(load, upstream, decided):
        """Milliseconds from the decision to the sending of the last request that went there; 0 if none did."""
        late = [each.sent - decided for each in load.responses if each.body == upstream.name and each.sent > decided]
        return max(late, default=0) * 1000
