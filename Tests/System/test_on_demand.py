"""Virtual hosts that Envoy asks for with the first request for their host, over each way to speak xDS."""

import time

from rig.case import SystemTest
from rig.documents import gateway, route, service
from rig.processes import eventually
from rig.traffic import once

# Seconds: a first request; the refusal of an unknown host; the listener from Envoy's start on; an edit.
FIRST, REFUSED, LISTENS, EDITED = 1.0, 0.5, 1.0, 2.0


class VirtualHosts(SystemTest):
    def setUp(self):
        super().setUp()
        self.web, self.other = self.upstream("web"), self.upstream("other")
        self.documents.write("edge.yaml", gateway(self.port, virtual_hosts="on-demand"))
        for upstream in (self.web, self.other):
            self.documents.write(f"{upstream.name}.yaml", service(upstream.name, upstream))
        self.routes("web", "held", host="held.example.com")

    def routes(self, to, *names, host=None, edit=0):
        for name in names:
            self.documents.write(f"route-{name}.yaml", route(name, host=host, edit=edit, service=to))

    def ask(self, host, expected="web", within=FIRST):
        """One request, answered by this upstream (or with this status) soon; the seconds it took."""
        answer = once(self.port, host)
        told = answer.body if answer.status == 200 else answer.status or answer.error
        self.assertEqual(told, expected, f"{host} after {answer.received - answer.sent:.3f} s")
        self.assertLess(answer.received - answer.sent, within, host)
        return answer.received - answer.sent

    def becomes(self, host, expected="web", edit=None):
        """Until an edit reaches requests for the host; the seconds it took."""
        def answered():
            answer = once(self.port, host)
            told = answer.body if answer.status == 200 else answer.status
            return told == expected and (edit is None or answer.header("x-edit") == str(edit))

        began = time.monotonic()
        eventually(answered, EDITED, f"{host} becomes {expected}")
        return time.monotonic() - began

    def serves_on_demand(self, *flags):
        self.routes("web", "web", host="web.example.com")
        self.routes("web", "ported", host="ported.example.com")
        self.routes("web", "wild", host="*.wild.example.com")
        self.routes("other", "hidden", host="hidden.wild.example.com")
        self.routes("other", "deep", host="*.deep.wild.example.com")
        server = self.signalbox()
        proxy = self.envoy(server, *flags)
        eventually(lambda: proxy.get("/ready")[1], 5, "Envoy's admin interface")
        began = time.monotonic()
        eventually(lambda: once(self.port, "early.example.com").status == 404, 20, "the listener")
        listens = time.monotonic() - began
        figures = {"listens after": listens}
        self.assertLess(listens, LISTENS, "the listener waits")

        figures["first"] = self.ask("web.example.com")
        figures["again"] = self.ask("web.example.com")
        figures["unknown"] = max(self.ask(f"unknown{n}.example.com", 404, REFUSED) for n in range(5))
        self.ask("ported.example.com:8080")
        self.ask("ported.example.com")
        self.ask("web.example.com:80")
        for host in ("a.wild.example.com", "b.wild.example.com", "c.b.wild.example.com", "d.wild.example.com:80"):
            self.ask(host)
        # Envoy, which has the wildcard by now, does not ask for what is more specific.
        for host in ("hidden.wild.example.com", "x.deep.wild.example.com"):
            self.ask(host, "other")
        self.ask("wild.example.com", 404, REFUSED)

        self.routes("web", "web", host="web.example.com", edit=1)
        figures["edit"] = self.becomes("web.example.com", edit=1)
        self.routes("other", "wild", host="*.wild.example.com", edit=2)
        figures["wildcard edit"] = self.becomes("a.wild.example.com", "other", edit=2)
        for host in ("b.wild.example.com", "e.wild.example.com"):
            self.ask(host, "other")

        self.routes("web", "late", host="unknown0.example.com")
        figures["late"] = self.becomes("unknown0.example.com")
        self.routes("web", "one", host="b.wild.example.com")
        figures["more specific than a wildcard"] = self.becomes("b.wild.example.com")
        self.ask("a.wild.example.com", "other")
        self.routes("web", "latewild", host="*.late.example.com")
        figures["a late wildcard"] = self.becomes("x.late.example.com")
        self.documents.remove("route-late.yaml")
        figures["removed"] = self.becomes("unknown0.example.com", 404)
        self.documents.remove("route-one.yaml")
        figures["the wildcard again"] = self.becomes("b.wild.example.com", "other")

        self.assertIn("edge/http/web.example.com", self.held(server))
        self.assertNotIn("edge/http/held.example.com", self.held(server))
        server.kill()
        self.ask("web.example.com")
        self.ask("a.wild.example.com", "other")
        self.routes("other", "web", host="web.example.com", edit=3)
        self.documents.remove("route-ported.yaml")
        self.routes("web", "new", host="new.wild.example.com")
        self.documents.remove("route-hidden.yaml")
        server.start()
        figures["edit over a restart"] = self.becomes("web.example.com", "other", edit=3)
        self.assertEqual(server.state()["rejections"], [])
        self.becomes("ported.example.com", 404)
        self.becomes("new.wild.example.com")
        self.becomes("hidden.wild.example.com", "other", edit=2)
        self.assertNotIn("edge/http/held.example.com", self.held(server), "nobody asked for it")
        self.ask("held.example.com")
        self.ask("unknown1.example.com", 404, REFUSED)
        self.ask("z.wild.example.com", "other")
        self.assertEqual(server.state()["rejections"], [])
        self.note(", ".join(f"{what} {1000 * seconds:.0f} ms" for what, seconds in figures.items()))

    def held(self, server):
        """The virtual hosts that Envoy holds."""
        return {name for stream in server.streams("edge-1") for kind in stream["types"] if kind == "VHDS"
                for name in stream["types"][kind]["acknowledged"]}

    def test_over_delta_ADS(self):
        self.serves_on_demand()

    def test_over_SotW_ADS(self):
        self.serves_on_demand("--sotw")

    def test_over_delta_per_type(self):
        self.serves_on_demand("--per-type")

    def test_over_SotW_per_type(self):
        self.serves_on_demand("--per-type", "--sotw")
