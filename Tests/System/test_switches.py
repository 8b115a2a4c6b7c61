"""A route leads elsewhere again and again, and its weights go up and down, under load."""

import time

from rig.case import SystemTest, sized
from rig.documents import gateway, route, service, with_weights
from rig.processes import eventually
from rig.traffic import Load, burst

SWITCHES, EVERY = sized(1000, 200), sized(0.2, 0.05)
STEP, REQUESTS = sized(1, 25), sized(10_000, 2_000)


class Switches(SystemTest):
    def switched_over(self, *flags, times=SWITCHES):
        """B8: a route switched between services 1,000 times at 5/s [200 at 20/s] under 200 requests/s: none fails.

        The recipe of https://github.com/projectcontour/contour/issues/2151. Nothing else leads to the service that is
        left, so its cluster goes each time."""
        for name in ("blue", "green"):
            self.documents.write(f"{name}.yaml", service(name, self.upstream(name)))
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", route("web", service="blue", edit=0))
        server = self.signalbox()
        self.envoy(server, *flags).wait_route(self.port, "web.example.com")
        with Load(self.port, "web.example.com", rate=200) as load:
            began = time.monotonic()
            for number in range(1, times + 1):
                self.documents.write("web.yaml", route("web", service=("blue", "green")[number % 2], edit=number))
                time.sleep(max(0, began + number * EVERY - time.monotonic()))
            eventually(lambda: load.responses[-1].header("x-edit") == str(times), 3, "the last switch")
        self.assert_none_failed(load, times * EVERY * 150)
        seen = len({each.header("x-edit") for each in load.responses})
        self.note(f"{times} switches, of which {seen - 1} were seen; {len(load.responses):,} requests")
        self.assertGreater(seen, times / 20)
        self.assertEqual(server.state()["rejections"], [])

    def test_a_route_over_delta(self):
        self.switched_over()

    def test_a_route_over_SotW(self):
        self.switched_over("--sotw", times=sized(1000, 40))

    def test_weights_up_and_down(self):
        """B9: blue/green 0-100-0 in steps of 1 [25] %: no request fails, and weights are kept. The promised percentage
        point over 10,000 requests is two sigma of chance at 50 %: it is asked of the mean; of each step, 4.5 sigma."""
        self.canary(100, 0)
        server = self.signalbox()
        self.envoy(server).wait_route(self.port, "web.example.com")
        text, errors = self.documents.read("web.yaml"), []
        steps = [*range(STEP, 101, STEP), *range(100 - STEP, -1, -STEP)]
        with Load(self.port, "web.example.com", rate=20, connections=1) as load:
            for number, canary in enumerate(steps, 1):
                edited = with_weights(text, {"stable": 100 - canary, "canary": canary})
                edited += f'  responseHeaders: {{set: [{{name: x-edit, value: "{number}"}}]}}\n'
                self.documents.write("web.yaml", edited)
                eventually(lambda: load.responses[-1].header("x-edit") == str(number), 3, f"step {number}")
                step = burst(self.port, "web.example.com", REQUESTS)
                self.assert_none_failed(step, REQUESTS)
                errors.append(abs(100 * step.shares().get("canary", 0) - canary))
                sigma = (canary * (100 - canary) / REQUESTS) ** 0.5
                self.assertLessEqual(errors[-1], 4.5 * sigma, f"{canary} %")
        self.assert_none_failed(load)
        mean = sum(errors) / len(errors)
        self.note(f"{len(steps)} steps of {REQUESTS:,} requests; off by {mean:.2f} points, {max(errors):.2f} at most")
        self.assertLessEqual(mean, (10_000 / REQUESTS) ** 0.5)  # chance's part grows as the requests get fewer
