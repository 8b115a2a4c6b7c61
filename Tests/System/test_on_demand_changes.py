"""Virtual hosts on demand while what they belong to changes, and clusters on demand."""

import time

from rig.case import SystemTest
from rig.documents import gateway, raw, route, service
from rig.processes import eventually, free_port
from rig.resources import ADS, DELTA, listener, on_demand, route_configuration, to, virtual_host
from rig.traffic import Load, once

AT_ONCE, EDITED = 0.5, 2.0  # seconds: an answer without waiting; an edit


class OnDemandChanges(SystemTest):
    def started(self, *flags, **options):
        """A gateway with these options, three routes to one service, and an Envoy."""
        self.options = options
        self.documents.write("edge.yaml", gateway(self.port, **options))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        for name in ("asked", "new", "newer", "newest"):
            self.documents.write(f"route-{name}.yaml", route(name, service="web", edit=0))
        self.server = self.signalbox("--allow-envoy-resources")
        return self.envoy(self.server, *flags)

    def ask(self, host, status=200, within=1.0, port=None, headers=None):
        answer = once(port or self.port, host, headers=headers)
        self.assertEqual(answer.status, status, f"{host} {answer.error}")
        self.assertLess(answer.received - answer.sent, within, host)
        return answer

    def switched(self, before, after, *flags):
        """The gateway's options change under load on connections that stay open."""
        proxy = self.started(*flags, **before)
        proxy.wait_route(self.port, "asked.example.com")
        self.server.wait_settled("edge-1")
        with Load(self.port, "asked.example.com", rate=100) as load:
            eventually(lambda: len(load.responses) > 10, 2, "each connection is open")
            generation = self.server.state()["generation"]
            self.documents.write("edge.yaml", gateway(self.port, **after))
            eventually(lambda: self.server.state()["generation"] > generation, 2, "it is published")
            self.server.wait_settled("edge-1")
            seen = len(load.responses)
            eventually(lambda: len(load.responses) > seen + 50, 5, "half a second of requests")
            self.ask("asked.example.com")
            self.ask("new.example.com")
            self.ask("nobody.example.com", 404, AT_ONCE)
            self.documents.write("route-asked.yaml", route("asked", service="web", edit=1))
            eventually(lambda: once(self.port, "asked.example.com").header("x-edit") == "1", EDITED, "an edit")
        self.assertEqual(self.server.state()["rejections"], [])
        self.assert_none_failed(load, 15)

    def test_clusters_become_on_demand(self):
        self.switched(dict(clusters="all"), dict(clusters="on-demand"))

    def test_clusters_become_eager(self):
        self.switched(dict(clusters="on-demand"), dict(clusters="all"))

    def test_clusters_of_virtual_hosts_become_on_demand(self):
        self.switched(dict(virtual_hosts="on-demand"), dict(virtual_hosts="on-demand", clusters="on-demand"))

    def test_the_gateway_moves_to_another_port(self):
        proxy = self.started(virtual_hosts="on-demand")
        proxy.wait_route(self.port, "asked.example.com")
        moved = free_port()
        self.documents.write("edge.yaml", gateway(moved, virtual_hosts="on-demand"))
        proxy.wait_route(moved, "asked.example.com", timeout=EDITED)
        self.ask("new.example.com", port=moved)
        self.ask("nobody.example.com", 404, AT_ONCE, port=moved)

    def changed_route_configuration(self, *flags):
        """An edit of a route configuration in Envoy's own words: Envoy forgets its virtual hosts, and is sent them."""
        proxy = self.started(*flags, virtual_hosts="all")
        port = free_port()
        rds = {"route_config_name": "raw", "config_source": ADS}
        self.documents.write("listener.json", raw("listener", listener("raw", port, [on_demand()], rds=rds)))
        self.documents.write("rds.json", raw("rds", self.route_configuration(0)))
        for host in ("a.example.com", "b.example.com"):
            resource = virtual_host(f"raw/{host}", to("web"), domains=[host], resource=True)
            self.documents.write(f"{host}.json", raw(host, resource))
        proxy.wait_route(port, "a.example.com")
        worst = 0
        with Load(port, "a.example.com", rate=100) as load:
            for number in range(1, 6):
                began = self.documents.write("rds.json", raw("rds", self.route_configuration(number)))
                eventually(lambda: load.responses[-1].header("x-edit") == str(number), EDITED, f"edit {number}")
                worst = max(worst, time.monotonic() - began)
                self.ask("a.example.com", port=port)
                self.ask("b.example.com", port=port)
                self.ask("c.example.com", 404, AT_ONCE, port=port)
        self.note(f"edits within {1000 * worst:.0f} ms")
        self.assert_none_failed(load, 15)

    def route_configuration(self, edit):
        header = {"header": {"key": "x-edit", "value": str(edit)}}
        return route_configuration("raw", vhds={"config_source": DELTA}, response_headers_to_add=[header])

    def test_a_route_configuration_changes_over_delta_ADS(self):
        self.changed_route_configuration()

    def test_a_route_configuration_changes_over_SotW_ADS(self):
        self.changed_route_configuration("--sotw")

    def test_clusters(self):
        proxy = self.started(clusters="on-demand")
        api = self.upstream("api")
        self.documents.write("api.yaml", service("api", api))
        self.documents.write("route-api.yaml", route("api"))
        eventually(lambda: once(self.port, "nobody.example.com").status == 404, 5, "the listener")
        self.assertNotIn("web::", proxy.get("/clusters")[1], "a cluster that nobody asked for")
        first = self.ask("asked.example.com")
        self.assertEqual(first.body, "web")
        self.ask("api.example.com")
        self.note(f"first request {1000 * (first.received - first.sent):.0f} ms")
        with Load(self.port, "asked.example.com", rate=100) as load:
            other = self.upstream("other")
            self.documents.write("web.yaml", service("web", other))
            eventually(lambda: load.responses[-1].body == "other", EDITED, "endpoints of a cluster on demand follow")
            self.documents.write("defaults.yaml", "kind: service-defaults\nname: web\nconnectTimeout: 4s\n")
            dump = "/config_dump?resource=dynamic_active_clusters"
            eventually(lambda: '"4s"' in proxy.get(dump)[1], EDITED, "the cluster's settings")
            self.server.kill()
            self.server.start()
            self.server.wait_settled("edge-1")
            self.documents.write("web.yaml", service("web", self.upstreams[0]))
            eventually(lambda: load.responses[-1].body == "web", EDITED, "endpoints follow after a restart")
        self.assert_none_failed(load, 15)

    def test_clusters_by_header(self):
        """What no route of Signalbox's leads to: a known service 200, an unknown and a removed one 503 at once.

        That is, the first time: Envoy 1.40 does not ask again for what it was told is not there ("already subscribed
        to, skipping"), so the next request waits for the filter's timeout; hence the short one of this listener."""
        self.started(clusters="on-demand")
        port = free_port()
        for name in ("api", "gone"):
            self.documents.write(f"{name}.yaml", service(name, self.upstream(name)))
            self.documents.write(f"route-{name}.yaml", route(name))
        host = virtual_host("raw", {"match": {"prefix": "/"}, "route": {"cluster_header": "x-cluster"}})
        self.documents.write("listener.json", raw("listener", listener(
            "raw", port, [on_demand(odcds={"source": ADS, "timeout": "0.2s"})],
            route_config=route_configuration("raw", host, resource=False))))

        def status(cluster):
            return once(port, "x", headers={"x-cluster": cluster}).status

        eventually(lambda: status("nobody") == 503, 5, "the listener")
        for _ in range(2):
            self.ask("x", headers={"x-cluster": "api"}, port=port)
            self.ask("x", headers={"x-cluster": "gone"}, port=port)
        self.ask("x", 503, AT_ONCE, headers={"x-cluster": "noone"}, port=port)
        self.documents.remove("route-gone.yaml")
        self.documents.remove("gone.yaml")
        eventually(lambda: status("gone") == 503, EDITED, "the removed service is gone")
        self.ask("x", headers={"x-cluster": "api"}, port=port)
        self.documents.write("gone.yaml", service("gone", self.upstreams[-1]))
        self.documents.write("route-gone.yaml", route("gone"))
        eventually(lambda: status("gone") == 200, EDITED, "the removed service is back")
