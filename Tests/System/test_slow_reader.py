"""C4: proxies that stop reading cost next to nothing, nobody else notices, and when they read on they get the
newest."""

import time

from rig.bystander import SERVICES, BesideOthers
from rig.case import sized
from rig.xds import RDS, Proxy, edit_of

SECONDS, RATE = sized(600, 12), sized(1, 8)  # how long, and changes a second
MEGABYTES = 5
WINDOW = 16_384  # less than one response with all routes: the server is stopped in the middle of one
ROUTES = "edge/http"


class SlowReader(BesideOthers):
    def test_proxies_that_stop_reading(self):
        slow = [Proxy(self.server.xds, f"edge-slow-{name}", [ROUTES], name == "sotw", WINDOW).synced(SERVICES)
                for name in ("delta", "sotw")]
        # What the allocator takes for changes alone is not theirs.
        for _ in range(10):
            self.bystander.edit()
            for each in slow:
                each.pump()
        for each in slow:
            each.until(lambda each=each: self.server.settled(each.node), 5, f"{each.node} has all")
            each.connection.grants = each.answers = False

        before, peak, worst, changes = self.server.resident_megabytes(), 0.0, 0.0, 0
        began = time.monotonic()
        while (now := time.monotonic()) < began + SECONDS:
            worst = max(worst, self.bystander.edit())
            changes += 1
            # HTTP/2 is alive, and answers PINGs: it is who reads the stream that is not.
            for number, each in enumerate(slow):
                each.pump(max(0.0, now + 1 / RATE - time.monotonic()) / (len(slow) - number))
            peak = max(peak, self.server.resident_megabytes())
        self.assertLess(worst, 1, "seconds: the slowest edit of the others")
        self.assertLess(peak - before, MEGABYTES, "megabytes of growth")
        self.note(f"{changes} changes in {SECONDS} s; {peak - before:+.1f} MB; the others' slowest edit "
                  f"{worst * 1000:.0f} ms")
        for each in slow:
            self.assertEqual(each.of(RDS, since=began), [], f"{each.node} has not read on")
            self.reads_on(each)

    def reads_on(self, slow):
        newest = self.documents.read("web.yaml").split('value: "')[1].split('"')[0]
        slow.answers, resumed = True, time.monotonic()
        slow.connection.resume()
        slow.until(lambda: edit_of(slow.held[RDS][ROUTES]) == newest, 5, f"{slow.node} has the newest")
        slow.until(lambda: self.server.settled(slow.node), 5, f"{slow.node} has all")
        versions = [edit_of(each.content[ROUTES]) for each in slow.of(RDS, since=resumed)]
        self.assertLessEqual(len(versions), 2, versions)
        self.note(f"{slow.node}: {len(versions)} versions, the last after {(slow.log[-1].at - resumed) * 1000:.0f} ms")
