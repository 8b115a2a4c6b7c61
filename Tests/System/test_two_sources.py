"""A service moves from Nomad's own discovery to Consul under load: no state on the way empties the proxies."""

import time

from rig import documents as text
from rig.consul_case import ConsulTest
from rig.consul import own_address
from rig.nomad_cluster import Wish
from rig.nomad_server import NomadServer
from rig.traffic import Load, once

RATE = 100
HOST, TAGGED = "web.example.com", "tagged.example.com"
TAG = [f"signalbox.host={TAGGED}"]
SETTLES = 1.0  # seconds: ten times what any change takes


class TwoSources(ConsulTest):
    def test_a_service_moves_to_consul_and_back(self):
        catalog = self.consul()
        nomad = NomadServer(own_address()).start()
        self.addCleanup(nomad.stop)
        self.documents.write("web.yaml", text.route("web"))
        old, new = self.upstream("old"), self.upstream("new")
        allocation = nomad.cluster.run(
            "web", [("127.0.0.1", old.port)], [Wish("web", "nomad", tags=TAG)], deployment=False)[0]
        server = self.following(
            catalog, "--nomad", "--nomad-address", nomad.url, "--state-directory", self.scratch / "state")
        self.envoy(server).wait_route(self.port, HOST)

        def answers_of():
            time.sleep(SETTLES)
            return once(self.port, HOST).body, once(self.port, TAGGED).body

        with Load(self.port, [HOST, TAGGED], rate=RATE) as load:
            catalog.register("web", new.port, "new", check="critical", Tags=TAG)
            self.assertEqual(answers_of(), ("old", "old"))
            self.assertTrue(self.reported(server, "SB301", "that of nomad is in force", "consul has no routable instance"))
            catalog.check("web", new.port, "passing", identity="new")
            self.assertEqual(answers_of(), ("new", "new"))
            self.assertTrue(self.reported(server, "SB301", "that of consul is in force"))
            # The way back: what Nomad has is better than nothing.
            catalog.check("web", new.port, "critical", identity="new")
            self.assertEqual(answers_of(), ("old", "old"))
            time.sleep(SETTLES)  # until it is stored
        self.assert_none_failed(load, RATE)

        server.kill()
        server.start()
        self.assertEqual(answers_of(), ("old", "old"))
        catalog.check("web", new.port, "passing", identity="new")
        self.assertEqual(answers_of(), ("new", "new"))
        nomad.cluster.stop(allocation)
        self.assertEqual(answers_of(), ("new", "new"))
        self.cured(server, "SB301")
