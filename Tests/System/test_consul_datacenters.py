"""Instances in two datacenters: the first is preferred, the second stands in, and its death is no matter."""

import time

from rig import documents as text
from rig.case import sized
from rig.consul_case import ConsulTest, STAYS, answers, never
from rig.probe import Probe
from rig.processes import eventually
from rig.traffic import Load

ROUNDS = sized(20, 2)
WITHIN = 300  # ms, the 99th percentile


class ConsulDatacenters(ConsulTest):
    def setUp(self):
        super().setUp()
        self.near = self.consul(name="near", primary_datacenter="dc1")
        self.far = self.consul(name="far", datacenter="dc2", primary_datacenter="dc1",
                               retry_join_wan=[self.near.address], retry_interval_wan="1s")
        eventually(lambda: len(self.near.get("/v1/catalog/datacenters")) == 2, 30, "the datacenters know each other")
        self.home = [self.upstream(f"dc1-{number}") for number in range(2)]
        self.away = self.upstream("dc2-0")
        for each in self.home:
            self.near.register("web", each.port, each.name)
        self.far.register("web", self.away.port, self.away.name)
        self.documents.write("web.yaml", text.route("web"))
        self.server = self.following(self.near, "--consul-datacenters", "dc1", "--consul-datacenters", "dc2")
        self.envoy(self.server).wait_route(self.port, "web.example.com")
        self.web = Probe(self.port, "web.example.com")

    def test_the_first_is_preferred(self):
        with Load(self.port, "web.example.com", rate=200) as load:
            time.sleep(1)
            self.assertEqual(self.away.requests, 0, "requests in dc2")
            for _ in range(ROUNDS):
                self.over("critical", lambda each: self.near.check("web", 0, "critical", each.name),
                          lambda each: self.near.check("web", 0, "passing", each.name))
                self.over("deregistered", lambda each: self.near.deregister("web", 0, each.name),
                          lambda each: self.near.register("web", each.port, each.name))
            self.without_the_other()
        self.assert_none_failed(load, at_least=500)
        self.assertEqual(self.server.state()["held"], [])
        self.assert_took(WITHIN)

    def over(self, kind, take, give):
        for each in self.home[1:]:
            take(each)
        self.measure(f"over to dc2 ({kind})", self.web, lambda: take(self.home[0]), answers(self.away), STAYS)
        self.measure("back to dc1", self.web, lambda: give(self.home[0]), never(self.away), STAYS)
        for each in self.home[1:]:
            give(each)

    def without_the_other(self):
        """dc2 dies, and what happens in dc1 happens as before; then it is back and counts again."""
        before = self.away.requests
        self.far.kill()
        eventually(lambda: self.is_missed(), 20, "/state says that dc2 is not heard")
        self.assertEqual(self.source(self.server)["state"], "up")
        for _ in range(ROUNDS):
            self.measure("dc1 without dc2", self.web, lambda: self.near.check("web", 0, "critical", "dc1-0"),
                         never(self.home[0]), STAYS)
            self.measure("dc1 without dc2", self.web, lambda: self.near.check("web", 0, "passing", "dc1-0"),
                         answers(self.home[0]))
        self.assertEqual(self.away.requests, before, "requests in dc2")
        # What it said last still stands in.
        self.over("without its Consul", lambda each: self.near.check("web", 0, "critical", each.name),
                  lambda each: self.near.check("web", 0, "passing", each.name))
        self.far.start()
        eventually(lambda: not self.is_missed(), 20, "/state says that dc2 is heard")

    def is_missed(self):
        return "dc2" in self.source(self.server).get("problem", "")
