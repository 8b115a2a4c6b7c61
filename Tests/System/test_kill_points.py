"""Signalbox is killed in the middle of a change."""

import random
import threading
import time

from rig.case import SystemTest, sized
from rig.documents import gateway, raw, route, service, together
from rig.processes import eventually, free_port
from rig.resources import answer, listener, route_configuration, virtual_host
from rig.traffic import Load, once

POINTS, POINTS_SOTW, RATE = sized(200, 20), sized(200, 5), 200
CONVERGES_WITHIN = 3.0  # seconds after the start of the next


class KillPoints(SystemTest):
    """B13: SIGKILL between the clusters, endpoints, listeners and routes of one change, at 200 [20] random points: no
    request fails, and Envoy has the change 3 s after the restart.

    The change: the route moves to a service that is new, the service that it leaves goes, and a listener changes. On
    SotW the service that it leaves goes one change later: a restarted server knows nothing of it, and SotW has no word
    for "keep what you have"."""

    def killed_over(self, *flags, keeps=0, times=POINTS):
        self.keeps = keeps
        seed = random.randrange(2**32)
        chance = random.Random(seed)
        self.sides, self.odd = (self.upstream("even"), self.upstream("odd")), free_port()
        self.documents.write("edge.yaml", gateway(self.port))
        self.write(0)
        self.server = self.signalbox("--removal-guard", "0", "--allow-envoy-resources")
        tap = self.tap(self.server)
        proxy = self.envoy(self.server, *flags, xds=tap.xds)
        proxy.wait_route(self.port, "web.example.com")
        self.server.wait_settled("edge-1")
        points, took = {}, []
        with Load(self.port, "web.example.com", RATE) as load:
            for number in range(1, times + 1):
                point = self.kill_at(tap, chance.choice(range(6)), chance.random() < 0.5, chance.random() * 0.02)
                self.write(number)
                where = point()
                points[where] = points.get(where, 0) + 1
                began = time.monotonic()
                self.server.start()
                self.converged(load, number)
                took.append(time.monotonic() - began)
                self.server.wait_settled("edge-1")
        self.note(f"seed {seed}, killed after " + ", ".join(f"{kind} {count}" for kind, count in points.items()))
        self.note(f"{len(load.responses):,} requests; converged {max(took):.2f} s after the start at most")
        self.assert_none_failed(load, 10 * times)  # a point takes a fifth of a second, and less on a fast machine
        self.assertLess(max(took), CONVERGES_WITHIN)
        self.assertEqual(self.server.state()["rejections"], [])

    def kill_at(self, tap, responses, before, delay):
        """Kills at the next response of this number, before it reaches Envoy or a while after. Returns a function that
        waits for that and tells where it was."""
        counted, killed = [], threading.Event()

        def kill():
            tap.hook = lambda said: None
            if not killed.is_set():
                self.server.kill()
                killed.set()

        def hook(said):
            counted.append(said.kind)
            if len(counted) == responses + 1:
                kill() if before else threading.Timer(delay, kill).start()

        tap.hook = hook

        def wait():
            if not killed.wait(1.5):  # fewer responses than that
                kill()
            return counted[min(responses, len(counted) - 1)] if counted else "nothing"

        return wait

    def write(self, number):
        """The change, in one file: it is read as a whole."""
        kept = range(max(0, number - self.keeps), number + 1)
        self.documents.write("web.yaml", together(
            *(service(f"web{each}", self.sides[each % 2]) for each in kept),
            # A service that no route leads to is not sent.
            *(route(f"kept{each}", service=f"web{each}") for each in kept),
            route("web", edit=number, service=f"web{number}"),
        ))
        routes = route_configuration("odd", virtual_host("odd", answer(str(number))), resource=False)
        self.documents.write("listener.json", raw("listener", listener("odd", self.odd, route_config=routes)))

    def converged(self, load, number):
        eventually(lambda: load.responses[-1].header("x-edit") == str(number), 10, f"route of change {number}")
        eventually(lambda: once(self.odd, "x").body == str(number), 10, f"listener of change {number}")

    def test_over_delta(self):
        self.killed_over()

    def test_over_SotW(self):
        self.killed_over("--sotw", keeps=1, times=POINTS_SOTW)
