"""What is written to Consul about a service changes what Envoy does with its requests, until it is taken away."""

from rig import documents as text
from rig.case import sized
from rig.consul_case import STAYS, ConsulTest, answers, is_status, never
from rig.probe import Probe
from rig.traffic import Load, burst

ROUNDS = sized(50, 3)
WITHIN = 300  # ms, the 99th percentile
SUBSETS = {each: {"Filter": f'Service.Meta.version == "{each}"'} for each in ("v1", "v2")}
SHARE = 30  # per cent for v2
TOLERANCE = 0.06  # of 1,000 requests


class ConsulPolicy(ConsulTest):
    def setUp(self):
        super().setUp()
        self.catalog = self.consul()
        self.old, self.new, self.shop = self.upstream("v1"), self.upstream("v2"), self.upstream("shop")
        for upstream in (self.old, self.new):
            self.catalog.register("web", upstream.port, upstream.name, Meta={"version": upstream.name})
        self.catalog.register("shop", self.shop.port)
        self.documents.write("web.yaml", text.route("web"))

    def entry(self, kind, **fields):
        """A function that writes it."""
        return lambda: self.catalog.put("/v1/config", {"Kind": kind, "Name": "web"} | fields)

    def gone(self, kind):
        return lambda: self.catalog.call("DELETE", f"/v1/config/{kind}/web")

    def test_config_entries_count_for_a_plain_service(self):
        for name in ("web", "shop"):  # Consul wants to know it before it takes a router
            self.catalog.put("/v1/config", {"Kind": "service-defaults", "Name": name, "Protocol": "http"})
        server = self.following(self.catalog)
        self.envoy(server).wait_route(self.port, "web.example.com")
        web, cart = Probe(self.port, "web.example.com"), Probe(self.port, "web.example.com", "/cart/1")
        resolver = ("service-resolver", web, STAYS)
        steps = [
            (*resolver, self.entry("service-resolver", DefaultSubset="v1", Subsets=SUBSETS), never(self.new)),
            (*resolver, self.entry("service-resolver", DefaultSubset="v2", Subsets=SUBSETS), never(self.old)),
            ("service-splitter", web, STAYS, self.splitter(100), never(self.new)),
            ("service-splitter", web, 1, self.splitter(100 - SHARE), answers(self.new)),
            ("service-splitter removed", web, STAYS, self.gone("service-splitter"), never(self.old)),
            ("service-router", cart, 1, self.router(Service="shop"), answers(self.shop)),
            ("service-router", cart, STAYS, self.router(ServiceSubset="v1"), answers(self.old)),
            ("service-router removed", cart, STAYS, self.gone("service-router"), never(self.old)),
            ("service-resolver removed", web, 1, self.gone("service-resolver"), answers(self.old)),
            (*resolver, self.entry("service-resolver", Redirect={"Service": "shop"}), answers(self.shop)),
            ("service-resolver removed", web, STAYS, self.gone("service-resolver"), never(self.shop)),
        ]
        with Load(self.port, "web.example.com", rate=50) as load:
            for number in range(ROUNDS):
                for kind, probe, in_a_row, change, good in steps:
                    self.measure(kind, probe, change, good, in_a_row)
                    if number == 0 and change is steps[3][3]:
                        self.assert_split()
                    if number == 0 and kind == "service-router":
                        self.assertNotEqual(web.ask()[1], "shop", "other paths")
        self.assert_none_failed(load, at_least=100)
        self.assertEqual(server.state()["rejections"], [])
        self.assert_took(WITHIN)

    def splitter(self, old):
        splits = [{"Weight": old, "ServiceSubset": "v1"}, {"Weight": 100 - old, "ServiceSubset": "v2"}]
        return self.entry("service-splitter", Splits=[each for each in splits if each["Weight"]])

    def router(self, **destination):
        return self.entry("service-router", Routes=[
            {"Match": {"HTTP": {"PathPrefix": "/cart"}}, "Destination": destination},
        ])

    def assert_split(self):
        share = burst(self.port, "web.example.com", 1000).shares().get("v2", 0)
        self.note(f"{share:.1%} of {SHARE}% to v2")
        self.assertAlmostEqual(share, SHARE / 100, delta=TOLERANCE)

    def test_documents_in_the_store(self):
        self.put("edge.yaml", text.gateway(self.port))
        self.put("web.yaml", text.route("web"))
        for name in ("edge.yaml", "web.yaml"):
            self.documents.remove(name)
        server = self.following(self.catalog, "--consul-kv-prefix", "signalbox/documents/")
        self.envoy(server).wait_route(self.port, "web.example.com")
        good = Probe(self.port, "cart.example.com")
        for _ in range(ROUNDS):
            self.measure("document written", good, lambda: self.put("teams/cart.yaml", self.route("shop")),
                         answers(self.shop))
            self.measure("changed", good, lambda: self.put("teams/cart.yaml", self.route("web")), never(self.shop))
            self.measure("removed", good, lambda: self.catalog.call("DELETE", self.key("teams/cart.yaml")),
                         is_status(404))
        self.put("teams/cart.yaml", self.route("shop"))
        good.until(answers(self.shop))
        for broken in (self.route("web").replace("backends", "backnds"), "kind: [", "\0\xff"):
            self.put("teams/cart.yaml", broken)
            found = self.reported(server, "SB", "teams/cart.yaml", timeout=5)
            self.assertEqual({each["file"] for each in found}, {"consul:kv/signalbox/documents/teams/cart.yaml"})
            self.assertEqual(good.ask(), (200, "shop"), "the last good one")
        self.put("teams/cart.yaml", self.route("web"))
        good.until(never(self.shop))
        self.cured(server, "SB", "teams/cart.yaml")
        self.edited_by_two(good)
        self.assert_took(WITHIN)

    def edited_by_two(self, probe):
        """As `consul kv put -cas -modify-index=...` does: of two that read the same, the first wins."""
        self.put("teams/cart.yaml", self.route("shop"))
        probe.until(answers(self.shop))
        for number in range(ROUNDS):
            to, good = ("web", never(self.shop)) if number % 2 == 0 else ("shop", answers(self.shop))
            read = self.index("teams/cart.yaml")
            self.measure("changed with CAS", probe, lambda to=to, read=read: self.assertTrue(
                self.put("teams/cart.yaml", self.route(to), cas=read), "the index is the one that was read"), good)
            now = self.index("teams/cart.yaml")
            self.assertGreater(now, read)
            lost = self.route("shop" if to == "web" else "web")
            self.assertFalse(self.put("teams/cart.yaml", lost, cas=read), "the index of before")
            self.assertFalse(self.put("teams/cart.yaml", lost, cas=0), "0 is for a key that is not there")
            self.assertEqual(self.index("teams/cart.yaml"), now)
            self.assertEqual([good(*probe.ask()) for _ in range(STAYS)], [True] * STAYS, "what won")
        self.assertTrue(self.put("teams/new.yaml", text.route("new", service="shop"), cas=0), "a key that is not there")
        Probe(self.port, "new.example.com").until(answers(self.shop))

    def index(self, name):
        return self.catalog.get(self.key(name))[0]["ModifyIndex"]

    def key(self, name):
        return f"/v1/kv/signalbox/documents/{name}"

    def put(self, name, document, cas=None):
        """Whether Consul took it."""
        return self.catalog.put(self.key(name) + ("" if cas is None else f"?cas={cas}"), document)

    @staticmethod
    def route(service):
        return text.route("cart", service=service)
