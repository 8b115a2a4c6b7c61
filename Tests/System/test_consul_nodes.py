"""A document chooses instances by what Consul knows of their nodes."""

from rig.consul_case import STAYS, ConsulTest, answers, is_status
from rig.probe import Probe

ROUTE = """
kind: route
name: {host}
hostnames: [{host}.example.com]
gateways: [edge]
rules:
- backends:
  - {{service: web, subset: {subset}}}
"""


class ConsulNodes(ConsulTest):
    def place(self, upstream, rack):
        self.catalog.put("/v1/catalog/register", {
            "Node": f"node-{upstream.name}", "Address": "127.0.0.1", "NodeMeta": {"rack": rack},
            "Service": {"ID": upstream.name, "Service": "web", "Address": "127.0.0.1", "Port": upstream.port,
                        "Meta": {"rack": "of the service"}}})

    def test_subsets_by_the_meta_of_nodes(self):
        self.catalog = self.consul()
        first, second = self.upstream("first"), self.upstream("second")
        self.place(first, "r1")
        self.place(second, "r2")
        for host, subset in (("one", "{nodeMeta: {rack: r1}}"), ("two", "{nodeMeta: {rack: r2}}"), ("none", "{meta: {rack: r1}}")):
            self.documents.write(f"{host}.yaml", ROUTE.format(host=host, subset=subset))
        server = self.following(self.catalog)
        self.envoy(server).wait_route(self.port, "one.example.com")
        one, two, none = (Probe(self.port, f"{host}.example.com") for host in ("one", "two", "none"))
        one.until(answers(first), STAYS)
        two.until(answers(second), STAYS)
        none.until(is_status(503), STAYS)
        self.assertEqual([each["subject"] for each in self.findings(server, "SB206")], ["route/none"])
        # A node moves: both instances are in one rack, and nobody is in the other.
        self.place(second, "r1")
        two.until(is_status(503), STAYS)
        self.place(first, "r2")
        two.until(answers(first), STAYS)
        one.until(answers(second), STAYS)
