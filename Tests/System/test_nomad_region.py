"""A15: Nomad's API goes away, does not know the region, or forgets what its event stream said: Consul alone goes on."""

import time

from rig import documents as text
from rig.case import SystemTest
from rig.consul import Consul, own_address
from rig.nomad_cluster import Consul as Registrar, Wish
from rig.nomad_server import NomadServer
from rig.processes import eventually
from rig.signalbox import command
from rig.traffic import Load

RATE = 200


class Region(SystemTest):
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
        self.copies = [self.place() for _ in range(2)]

    def place(self):
        upstream = self.upstream(f"copy-{len(self.upstreams)}")
        upstream.allocation = self.nomad.cluster.run(
            f"web-{len(self.upstreams)}", [("127.0.0.1", upstream.port)], [Wish("web", "consul")], deployment=False)[0]
        return upstream

    def serve(self, *flags):
        self.server = self.signalbox(
            "--consul", "--consul-address", self.consul.url, "--nomad", "--nomad-address", self.nomad.url,
            "--catalog-allow-addresses", "127.0.0.0/8", *flags)
        self.envoy(self.server).wait_route(self.port, "web.example.com")

    def source(self):
        return next(each for each in self.server.state()["sources"] if each["name"] == "nomad")

    def wait_source(self, state):
        def told():
            if self.source()["state"] != state:
                raise AssertionError(self.source())
            return True

        eventually(told, 15, f"Nomad is {state}")

    def changes(self, load):
        """Consul alone decides: a copy that it forgets gets nothing more, one that it learns of gets its share."""
        gone, new = self.copies.pop(0), self.place()
        self.copies.append(new)
        self.nomad.cluster.deregister(gone.allocation)
        at = time.monotonic()
        time.sleep(2)
        late = max((each.sent - at for each in load.responses if each.body == gone.name), default=0)
        self.assertLessEqual(late, 1, "seconds until Consul's word counts")
        self.assertTrue(any(each.body == new.name for each in load.responses), "the new one is called")

    def names_the_region(self):
        self.wait_source("down")
        source = self.source()
        self.assertEqual(source["reason"], "region", source)
        said = command("catalog", "status", "--admin", f"127.0.0.1:{self.server.admin_port}").stdout
        for word in ("No path to region", "/v1/regions"):
            self.assertIn(word, source["problem"])
            self.assertIn(word, said)
        self.assertIn("mars", source["problem"])

    def test_a_wrong_region_from_the_start(self):
        self.serve("--nomad-region", "mars")
        with Load(self.port, "web.example.com", rate=RATE) as load:
            self.names_the_region()
            self.changes(load)
        self.assert_none_failed(load, RATE)
        lines = [line for line in self.server.log.read_text().splitlines() if "nomad" in line and "No path" in line]
        self.assertEqual(len(lines), 1, "said once")
        status, body = self.server.get("/metrics")[:2]
        metrics = body.decode() if isinstance(body, bytes) else body
        self.assertRegex(metrics, r'(?m)^signalbox_source_up\{source="nomad"\} 0')
        self.assertRegex(metrics, r'(?m)^signalbox_source_errors_total\{[^}]*reason="region"[^}]*\} [1-9]')
        # The region joins the others: nothing but patience is needed.
        self.nomad.regions.add("mars")
        self.wait_source("up")

    def test_a_region_that_is_lost_and_found(self):
        self.nomad.regions.add("mars")
        self.serve("--nomad-region", "mars")
        self.wait_source("up")
        with Load(self.port, "web.example.com", rate=RATE) as load:
            time.sleep(0.5)
            self.nomad.regions.discard("mars")
            self.nomad.cut_streams()
            self.names_the_region()
            self.changes(load)
            self.nomad.regions.add("mars")
            self.wait_source("up")
            # What it decides counts again.
            at = time.monotonic()
            self.nomad.cluster.stop(self.copies[0].allocation, deregister_after=5)
            time.sleep(1)
        self.assert_none_failed(load, RATE)
        late = max((each.sent - at for each in load.responses if each.body == self.copies[0].name), default=0)
        self.assertLessEqual(late, 0.5)

    def test_a_gap_in_the_event_stream(self):
        self.serve()
        self.wait_source("up")
        with Load(self.port, "web.example.com", rate=RATE) as load:
            time.sleep(0.5)
            # It stops, and something is decided of which no event tells.
            self.nomad.stop()
            self.nomad.cluster.stop(self.copies[0].allocation, deregister_after=60)
            self.nomad.start()
            at = time.monotonic()
            time.sleep(4)
        self.assert_none_failed(load, RATE)
        late = max((each.sent - at for each in load.responses if each.body == self.copies[0].name), default=0)
        self.note(f"what a gap hid is followed {late:.1f} s after Nomad is back")
        self.assertLessEqual(late, 3)
