"""C2: a hundred changes a second are a few pushes a second to each proxy, and the last of them is there at once."""

import time

from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from rig.bystander import SERVICES, BesideOthers
from rig.case import sized
from rig.documents import route
from rig.traffic import once
from rig.xds import EDS, RDS, Proxy, edit_of

RATE, SECONDS = 100, sized(60, 5)
PUSHES = 10  # a second, of each type to each proxy
CONVERGED = 1.0  # seconds after the last change
PORTS = 1_000  # what an endpoint is moved among


class Storm(BesideOthers):
    def test_a_hundred_changes_a_second(self):
        fakes = [Proxy(self.server.xds, f"edge-{name}", ["edge/http"], sotw=name == "sotw").synced(SERVICES)
                 for name in ("delta", "sotw")]
        before, loads = self.taken_in(), self.server.metric("signalbox_config_reloads_total")
        began = time.monotonic()
        for number in range(RATE * SECONDS):
            changed = self.change(number)
            while (left := began + (number + 1) / RATE - time.monotonic()) > 0:
                for fake in fakes:
                    fake.pump(min(left / 2, 0.005))
        took = time.monotonic() - began
        last, port = str(number), 1 + number % PORTS

        for fake in fakes:
            fake.until(lambda fake=fake: self.holds(fake, last, port), CONVERGED, "the last change")
        while once(self.port, "web.example.com").header("x-edit") != last:
            self.assertLess(time.monotonic() - changed, CONVERGED, "seconds until Envoy answers by the last change")
        converged = time.monotonic() - changed
        loads = self.server.metric("signalbox_config_reloads_total") - loads

        self.assertLess(took, SECONDS * 1.1, "seconds that the changes took")
        self.assertLess(converged, CONVERGED)
        for fake in fakes:
            for kind in (EDS, RDS):
                self.assert_few(fake.of(kind, since=began), took, f"{fake.node}, {kind}")
        pushed = self.taken_in() - before
        self.assertGreater(pushed, SECONDS)
        self.assertLessEqual(pushed, PUSHES * took + 1, "route updates that Envoy took in")
        self.assertEqual(self.server.state()["rejections"], [])
        self.note(f"{number + 1:,} changes in {took:.1f} s, read in {loads:.0f} turns; {pushed / took:.1f} route "
                  f"updates a second; the last arrived after {converged * 1000:.0f} ms")

    def change(self, number):
        """An edit of a route, and of the endpoint of a service that nobody calls."""
        self.documents.write("moving.yaml", "kind: service\nname: service-000\ninstances:\n"
                             f"- {{id: a, address: 127.0.0.1, port: {1 + number % PORTS}}}\n")
        return self.documents.write("web.yaml", route("web", edit=number))

    def setUp(self):
        super().setUp()
        # The service that moves has a file of its own.
        text = self.documents.read("services.yaml").split("---\n")
        self.change(0)
        self.documents.write("services.yaml", "---\n".join(each for each in text if "name: service-000\n" not in each))
        self.proxy.wait_route(self.port, "web.example.com")

    def holds(self, fake, edit, port):
        endpoints = ClusterLoadAssignment.FromString(fake.held[EDS]["service-000"]).endpoints[0].lb_endpoints
        here = [each.endpoint.address.socket_address.port_value for each in endpoints]
        return here == [port] and edit_of(fake.held[RDS]["edge/http"]) == edit

    def taken_in(self):
        """How often Envoy has taken in the route configuration."""
        found = self.proxy.stats(r"http\..*rds.*\.update_success")
        self.assertEqual(len(found), 1, found)
        return sum(found.values())

    def assert_few(self, responses, took, what):
        times = [each.at for each in responses]
        self.assertLessEqual(len(times), PUSHES * took + 1, what)
        # A second that begins and ends with a push has one more.
        fullest = max(sum(0 <= other - each <= 1 for other in times) for each in times)
        self.assertLessEqual(fullest, PUSHES + 1, f"{what}: pushes in the fullest second")
