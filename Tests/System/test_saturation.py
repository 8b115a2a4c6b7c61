"""C8: a client fills its sending direction and hardly empties the other, on windows of 64 kB: nothing locks up."""

import time

from rig.bystander import SERVICES, BesideOthers
from rig.case import sized
from rig.http2 import DEFAULT_WINDOW, Connection
from rig.xds import CDS, DELTA, DeltaDiscoveryResponse, Proxy, delta

SECONDS = sized(600, 8)
NAMES = 40_000  # of a request: 1 MB there, and as much back, because nobody knows them
REQUESTS = 40  # a second: the server allows 50
SLOW = 65_536  # bytes that are read at a time
ANSWERED = 10  # seconds
CONVERGES = sized(2, 6)  # seconds; a debug build takes half a second for such a request, and others of the loop wait


class Saturation(BesideOthers):
    def test_both_directions_of_a_connection(self):
        self.beside(self.saturates, converges=CONVERGES)
        self.note_worst(self.figures)

    def saturates(self):
        self.client = Connection(self.server.xds, window=DEFAULT_WINDOW)
        self.call, self.names, self.answered = self.client.call(DELTA), set(), 0
        flood = delta(CDS, [f"nobody-knows-this-{number:06}" for number in range(NAMES)])
        self.client.say(self.call, delta(CDS, ["web"], node="edge-saturating"))
        began = fresh = time.monotonic()
        sent, full, slowest = 0, [0, 0], 0.0
        while (now := time.monotonic()) < began + SECONDS:
            if len(self.call.waiting) < len(flood) and sent < REQUESTS * (now - began):
                self.client.say(self.call, flood)
                sent += 1
            # First it does not read at all, and not a PING either, then a little at a time.
            reads = now > began + min(SECONDS / 4, 20)
            self.client.pump(0.005, at_most=SLOW if reads else 0)
            full[reads] += bool(self.call.waiting)
            self.take()
            if now > fresh + SECONDS / 5:
                began_one = fresh = time.monotonic()
                Proxy(self.server.xds, "edge-fresh", ["edge/http"]).synced(SERVICES, timeout=ANSWERED).close()
                slowest = max(slowest, time.monotonic() - began_one)
            self.assertFalse(self.call.over or self.client.closed, self.client)
        self.assertGreater(min(full), 10, "times that its sending direction was full")
        self.assertGreater(self.answered, SECONDS // 10, "responses that it has read")
        self.assertLess(slowest, CONVERGES, "seconds until another proxy has all")

        # It is answered as soon as it reads, on the same stream.
        asked = time.monotonic()
        self.client.say(self.call, delta(CDS, ["service-000"]))
        self.client.until(lambda: self.take() and "service-000" in self.names, ANSWERED, "an answer after all that")
        self.figures = (f"{sent} requests of {len(flood) >> 10} kB and {self.answered} responses in {SECONDS} s; "
                        f"then answered after {(time.monotonic() - asked) * 1000:.0f} ms; another proxy has all after "
                        f"{slowest * 1000:.0f} ms at most")
        self.client.close()

    def take(self):
        for body in self.call.messages:
            response = DeltaDiscoveryResponse.FromString(body)
            self.names.update(each.name for each in response.resources)
            self.answered += 1
            self.client.say(self.call, delta(CDS, nonce=response.nonce))
        self.call.messages.clear()
        return True
