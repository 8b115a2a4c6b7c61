"""Consul takes names of services that differ in case only for the same, and we do not."""

import time

from rig import documents as text
from rig.consul_case import ConsulTest, answers, is_status
from rig.probe import Probe

GRACE = 1


class ConsulNames(ConsulTest):
    def setUp(self):
        super().setUp()
        self.catalog = self.consul()
        self.server = self.following(self.catalog, "--catalog-vanished-grace-seconds", GRACE)
        self.envoy(self.server)
        self.upper, self.lower = self.upstream("upper"), self.upstream("lower")
        for name, service in ("upper", "Web"), ("lower", "web"), ("other", "other"):
            self.documents.write(f"{name}.yaml", text.route(name, service=service))

    def probe(self, name):
        return Probe(self.port, f"{name}.example.com")

    def test_a_service_that_gets_its_name_in_another_case(self):
        other = self.upstream("other")
        self.catalog.register("Web", self.upper.port)
        self.catalog.register("other", other.port)
        self.probe("upper").until(answers(self.upper))
        self.probe("other").until(answers(other))
        self.catalog.register("web", self.lower.port)
        self.probe("lower").until(answers(self.lower))
        self.catalog.deregister("Web", self.upper.port)
        began = time.monotonic()
        self.probe("upper").until(is_status(503))
        self.note(f"gone {time.monotonic() - began:.1f} s after it was renamed, with a grace of {GRACE} s")
        # Long enough for a doubt to be told.
        time.sleep(5)
        source = self.source(self.server)
        self.assertEqual((source["state"], source.get("problem")), ("up", None))
        self.assertEqual(source["services"], 2)
        # The clock of the others goes on.
        self.catalog.deregister("other", other.port)
        self.probe("other").until(is_status(503))
        self.probe("lower").until(answers(self.lower))
        self.assertEqual(self.server.state()["held"], [])

    def test_two_services_that_differ_in_case_only(self):
        self.catalog.register("Web", self.upper.port)
        self.catalog.register("web", self.lower.port, node="node-2")
        for _ in range(3):
            self.probe("upper").until(answers(self.upper), in_a_row=20)
            self.probe("lower").until(answers(self.lower), in_a_row=20)
            for service, upstream in ("Web", self.upper), ("web", self.lower):
                node = "node-1" if service == "Web" else "node-2"
                self.catalog.check(service, upstream.port, "critical", node=node)
                self.probe(upstream.name).until(is_status(503))
                self.catalog.check(service, upstream.port, "passing", node=node)
        self.catalog.deregister("web", self.lower.port, node="node-2")
        self.probe("lower").until(is_status(503))
        self.probe("upper").until(answers(self.upper), in_a_row=20)
        self.assertEqual(self.source(self.server)["state"], "up")
