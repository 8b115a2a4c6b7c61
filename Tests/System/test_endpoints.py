"""Services without endpoints, and endpoints that go."""

import time

from rig.case import SystemTest, sized
from rig.documents import gateway, route, service
from rig.processes import eventually
from rig.traffic import Load, once

REMOVALS = sized(100, 10)
LAST_REQUEST_WITHIN = 500  # ms, the 99th percentile
LATER_BY = 1.0  # seconds


class Endpoints(SystemTest):
    def starts_over(self, *flags):
        """B11: a service without endpoints when Envoy starts: Envoy is ready no more than 1 s later than without it,
        and 503 is for that service only."""
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        self.documents.write("route-web.yaml", route("web"))
        server = self.signalbox()
        without = self.ready(server, *flags, name="without")
        self.documents.write("empty.yaml", "kind: service\nname: empty\ninstances: []\n")
        self.documents.write("route-empty.yaml", route("empty"))
        eventually(lambda: server.state()["documents"]["service"] == 2, 2, "the empty service")
        empty = self.ready(server, *flags, name="with")
        self.note(f"ready after {without:.2f} s without it, {empty:.2f} s with it")
        self.assertLess(empty - without, LATER_BY)
        self.assertEqual(once(self.port, "empty.example.com").status, 503)
        self.assertEqual(once(self.port, "web.example.com").status, 200)
        self.documents.write("empty.yaml", service("empty", self.upstream("filled")))
        eventually(lambda: once(self.port, "empty.example.com").status == 200, 2, "it has an endpoint now")

    def ready(self, server, *flags, name):
        """Seconds from the start of an Envoy to its first answer; the one before is stopped."""
        if self.processes[-1].name == "without":
            self.processes.pop().stop()
        began = time.monotonic()
        self.envoy(server, *flags, name=name).wait_route(self.port, "web.example.com", timeout=30)
        return time.monotonic() - began

    def test_none_at_the_start_over_delta(self):
        self.starts_over()

    def test_none_at_the_start_over_SotW(self):
        self.starts_over("--sotw")

    def test_the_last_request_to_a_removed_one(self):
        """B12: from the edit that removes an endpoint to the last request there: 500 ms for 99 of 100, so that a
        service that waits a second between leaving and stopping loses none."""
        both = [self.upstream("stays"), self.upstream("goes")]
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", *both))
        self.documents.write("route.yaml", route("web"))
        self.envoy(self.signalbox()).wait_route(self.port, "web.example.com")
        delays = []
        with Load(self.port, "web.example.com", rate=200) as load:
            for _ in range(REMOVALS):
                eventually(lambda: "goes" in {each.body for each in load.responses[-8:]}, 2, "the endpoint is back")
                removed = self.documents.write("web.yaml", service("web", both[0]))
                time.sleep(0.6)  # what comes after this is too late anyway
                here = [each.sent for each in load.responses if each.body == "goes" and each.sent >= removed]
                delays.append(1000 * (max(here, default=removed) - removed))
                self.documents.write("web.yaml", service("web", *both))
        self.assert_none_failed(load, REMOVALS * 60)
        delays.sort()
        p99 = delays[-(-len(delays) * 99 // 100) - 1]
        self.note(f"{REMOVALS} removals; median {delays[len(delays) // 2]:.0f} ms, p99 {p99:.0f} ms")
        self.assertLessEqual(p99, LAST_REQUEST_WITHIN)
