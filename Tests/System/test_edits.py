"""A weight edited in a file takes effect at once, and no request pays for it."""

import time

from rig.case import SystemTest
from rig.documents import with_weights
from rig.traffic import Load

FLIPS, SMALL_EDITS, RATE = 50, 150, 200
TAKES_EFFECT_WITHIN = 300  # ms, the 99th percentile


class Edits(SystemTest):
    def test_two_hundred_edits_under_load(self):
        self.canary()
        envoy = self.envoy(self.signalbox())
        envoy.wait_route(self.port, "web.example.com")
        with Load(self.port, "web.example.com", rate=RATE) as load:
            flips = [self.flip("canary" if number % 2 == 0 else "stable") for number in range(FLIPS)]
            for number in range(SMALL_EDITS):
                self.edit(canary=number % 100)
                time.sleep(0.1)
        self.assert_none_failed(load, RATE * 30)

        delays = sorted(self.took_effect(load, *flip) * 1000 for flip in flips)
        p99 = delays[-(-len(delays) * 99 // 100) - 1]
        self.note(f"{len(load.responses):,} requests; median {delays[len(delays) // 2]:.0f} ms, p99 {p99:.0f} ms")
        self.assertLessEqual(p99, TAKES_EFFECT_WITHIN)

    def edit(self, canary):
        weights = {"stable": 100 - canary, "canary": canary}
        return self.documents.write("web.yaml", with_weights(self.documents.read("web.yaml"), weights))

    def flip(self, side):
        """All to one side; (from when, until when, which side)."""
        edited = self.edit(canary=100 if side == "canary" else 0)
        time.sleep(0.6)
        return edited, time.monotonic(), side

    def took_effect(self, load, edited, until, side):
        """Seconds until the new side answers and the old one no more."""
        window = [response for response in load.responses if edited <= response.received < until]
        last_old = max((response.received for response in window if response.body != side), default=0)
        new = [response.received for response in window if response.body == side and response.received > last_old]
        self.assertTrue(new, f"{side} never took over")
        return min(new) - edited
