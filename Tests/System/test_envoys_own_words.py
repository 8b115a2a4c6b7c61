"""Runtimes, filters' configurations and scoped routes from documents of the kind envoy-resource, each changed live."""

import json
import time

from rig.case import SystemTest
from rig.documents import gateway, raw, route, service
from rig.processes import eventually, free_port
from rig.resources import ADS, TYPE, answer, listener, other_filter, route_configuration, to, virtual_host
from rig.traffic import Load, once

EDITED = 2.0  # seconds
RUNTIME = {"layered_runtime": {"layers": [
    {"name": "rtds", "rtds_layer": {"name": "experiment", "rtds_config": ADS}}, {"name": "admin", "admin_layer": {}},
]}}


class EnvoysOwnWords(SystemTest):
    def started(self, *flags, **options):
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        self.documents.write("route.yaml", route("web"))
        self.server = self.signalbox("--allow-envoy-resources")
        self.proxy = self.envoy(self.server, *flags, **options)
        self.proxy.wait_route(self.port, "web.example.com")
        self.raw = free_port()

    def write(self, name, resource, ttl=None):
        return self.documents.write(f"{name}.json", raw(name, resource, ttl=ttl))

    def runtime(self, **layer):
        return {"@type": f"{TYPE}.service.runtime.v3.Runtime", "name": "experiment", "layer": layer}

    def split(self, *flags):
        """A listener of which a runtime key says how much is answered "new"."""
        self.write("runtime", self.runtime(share=0))
        self.started(*flags, more=RUNTIME)
        fraction = {"runtime_fraction": {"runtime_key": "share", "default_value": {"numerator": 0}}}
        host = virtual_host("raw", answer("new", **fraction), answer("old"))
        self.write("listener", listener("raw", self.raw, route_config=route_configuration("raw", host, resource=False)))
        eventually(lambda: once(self.raw, "x").status == 200, 5, "the listener")

    def answers(self, text, times=20):
        return eventually(lambda: {once(self.raw, "x").body for _ in range(times)} == {text}, EDITED, f"all are {text}")

    def runtime_over(self, *flags):
        self.split(*flags)
        self.answers("old")
        took = []
        for share, text in ((100, "new"), (0, "old"), (100, "new")):
            began = self.write("runtime", self.runtime(share=share))
            self.answers(text)
            took.append(time.monotonic() - began)
        entries = json.loads(self.proxy.get("/runtime")[1])["entries"]
        self.assertEqual(entries["share"]["final_value"], "100")
        self.documents.remove("runtime.json")
        self.note(f"edits within {1000 * max(took):.0f} ms")
        self.assertEqual(self.server.state()["rejections"], [])

    def test_a_runtime_over_delta(self):
        self.runtime_over()

    def test_a_runtime_over_SotW(self):
        self.runtime_over("--sotw")

    def test_a_runtime_with_a_time_to_live(self):
        """A time to live of 2 s: heartbeats keep it for 6 s and more, and it ends when they do; the next server's words
        bring it back and keep it, also if it was away for a moment only. Over delta and SotW at the same time."""
        self.write("runtime", self.runtime(share=100), ttl="2s")
        self.started(more=RUNTIME)
        proxies = [self.proxy, self.envoy(self.server, "--sotw", node="edge-2", name="sotw", more=RUNTIME)]
        self.become(proxies, "100", 5, "it arrives")
        self.stays(proxies, 6.5, "kept alive")
        self.server.kill()
        killed = time.monotonic()
        self.become(proxies, None, 5, "it expires")
        expired = time.monotonic() - killed
        self.server.start()
        self.become(proxies, "100", 5, "the restarted server brings it back")
        self.stays(proxies, 2.5, "kept alive by the restarted server")
        self.server.kill()
        self.server.start()
        self.stays(proxies, 4, "kept alive over a quick restart")
        self.assertEqual(self.server.state()["rejections"], [])
        self.note(f"expired {expired:.1f} s after the server was killed")
        self.assertLess(expired, 3)

    def shares(self, proxies):
        """The value of the key in each Envoy, None if it has none."""
        entries = [json.loads(proxy.get("/runtime")[1])["entries"] for proxy in proxies]
        return [each.get("share", {}).get("final_value") for each in entries]

    def become(self, proxies, value, within, what):
        eventually(lambda: set(self.shares(proxies)) == {value}, within, what)

    def stays(self, proxies, seconds, what):
        """It is about time: that nothing ends before the seconds are over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.assertEqual(self.shares(proxies), ["100"] * len(proxies), what)
            time.sleep(0.02)

    def filter_over(self, *flags):
        """A filter's configuration: as first served, changed live, and after a restart of the server."""
        self.started(*flags)
        discovered = {"name": "odd", "config_discovery": {
            "config_source": ADS, "type_urls": [f"{TYPE}.extensions.filters.http.header_mutation.v3.HeaderMutation"]}}
        host = virtual_host("raw", to("web"))
        self.write("filter", self.header("0"))
        self.write("listener", listener("raw", self.raw, [discovered],
                                        route_config=route_configuration("raw", host, resource=False)))
        eventually(lambda: once(self.raw, "x").header("x-odd") == "0", 5, "the filter")
        took = []
        with Load(self.raw, "x", rate=100) as load:
            for number in ("1", "2", "3"):
                began = self.write("filter", self.header(number))
                eventually(lambda: load.responses[-1].header("x-odd") == number, EDITED, f"edit {number}")
                took.append(time.monotonic() - began)
            self.server.kill()
            self.write("filter", self.header("4"))
            self.server.start()
            eventually(lambda: load.responses[-1].header("x-odd") == "4", 5, "an edit over a restart")
        self.assert_none_failed(load, 15)
        self.assertEqual(self.server.state()["rejections"], [])
        self.note(f"edits within {1000 * max(took):.0f} ms")

    def header(self, value):
        header = {"header": {"key": "x-odd", "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        mutation = other_filter("header_mutation.v3.HeaderMutation",
                                mutations={"response_mutations": [{"append": header}]})
        return {"@type": f"{TYPE}.config.core.v3.TypedExtensionConfig", "name": "odd", "typed_config": mutation}

    def test_a_filter_over_delta(self):
        self.filter_over()

    def test_a_filter_over_SotW(self):
        self.filter_over("--sotw")

    def scopes_over(self, *flags):
        """A request's header chooses among route configurations; scopes come, change and go."""
        self.started(*flags)
        key = {"fragments": [{"header_value_extractor": {"name": "x-scope", "index": 0}}]}
        scoped = {"name": "scopes", "scope_key_builder": key, "rds_config_source": ADS,
                  "scoped_rds": {"scoped_rds_config_source": ADS}}
        for name in ("a", "b"):
            self.write(f"rds-{name}", route_configuration(name, virtual_host(name, answer(name))))
        self.write("scope-1", self.scope("1", "a"))
        # Keeps "a" in Envoy: a scope that turns to routes that no scope has is answered 404 until Envoy has asked for them.
        self.write("scope-3", self.scope("3", "a"))
        self.write("listener", listener("raw", self.raw, scoped_routes=scoped))

        def said(scope, text):
            def probe():
                got = once(self.raw, "x", headers={"x-scope": scope})
                return text == (got.body if got.status == 200 else got.status)
            eventually(probe, EDITED, f"scope {scope} answers {text}")

        eventually(lambda: once(self.raw, "x", headers={"x-scope": "1"}).body == "a", 5, "the listener")
        with Load(self.raw, "x", rate=50, headers={"x-scope": "1"}) as load:
            said("2", 404)
            self.write("scope-2", self.scope("2", "b"))
            said("2", "b")
            self.write("scope-1", self.scope("1", "b"))
            said("1", "b")
            self.write("rds-b", route_configuration("b", virtual_host("b", answer("changed"))))
            said("1", "changed"), said("2", "changed")
            self.documents.remove("scope-2.json")
            said("2", 404)
            self.server.kill()
            self.write("scope-1", self.scope("1", "a"))
            self.server.start()
            eventually(lambda: load.responses[-1].body == "a", 5, "an edit over a restart")
        self.assert_none_failed(load, 10)
        self.assertEqual(self.server.state()["rejections"], [])

    def scope(self, key, routes):
        return {"@type": f"{TYPE}.config.route.v3.ScopedRouteConfiguration", "name": f"scope-{key}",
                "route_configuration_name": routes, "key": {"fragments": [{"string_key": key}]}}

    def test_scoped_routes_over_delta(self):
        self.scopes_over()

    def test_scoped_routes_over_SotW(self):
        self.scopes_over("--sotw")
