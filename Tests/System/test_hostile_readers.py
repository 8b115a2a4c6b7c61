"""E4: clients that ask for everything and read nothing of it, but answer PINGs. What is made for them is bounded, and a
real Envoy beside them gets its edits, and a proxy that comes later all that there is."""

import time

from rig.bystander import CONVERGES, SERVICES, BesideOthers
from rig.case import sized
from rig.documents import route, service, together
from rig.http2 import ENHANCE_YOUR_CALM, Connection
from rig.processes import eventually
from rig.xds import CDS, RDS, SOTW, Proxy, sotw

MORE = 1_500  # services, so that an answer is large
CONNECTIONS, STREAMS = sized(20, 5), 100
SECONDS = sized(90, 5)
ROUTES = "edge/http"


class HostileReaders(BesideOthers):
    def client(self, node):
        return Proxy(self.server.xds, node, [ROUTES]).synced(SERVICES + MORE, timeout=20)

    def test_answers_that_nobody_reads(self):
        names = [f"more-{number:04}" for number in range(MORE)]
        self.documents.write("more.yaml", together(*(service(name, self.upstreams[0]) for name in names)))
        self.documents.write("more-routes.yaml", together(*(route(name) for name in names)))
        first = self.client("edge-first")
        size = sum(each.size for kind in (CDS, RDS) for each in first.of(kind)[-1:])
        first.close()
        self.server.wait_settled("edge-1")

        def attack():
            connections = [Connection(self.server.xds, window=0) for _ in range(CONNECTIONS)]
            for connection in connections:
                for number in range(STREAMS):
                    call = connection.call(SOTW)
                    connection.say(call, sotw(CDS, node=f"edge-{number}-hostile"))
                    connection.say(call, sotw(RDS, [ROUTES]))
            streams = CONNECTIONS * STREAMS
            eventually(lambda: self.server.metric("signalbox_xds_streams") > streams, 10, "all of them are there")
            began = time.monotonic()
            while time.monotonic() < began + SECONDS:
                for connection in connections:
                    connection.pump(0.02)
            self.client("edge-later").close()
            return connections

        connections = self.beside(attack, converges=sized(CONVERGES, 10.0))
        self.assertFalse(any(each.closed for each in connections), "they are proxies, as far as one can tell")
        resets = [call.reset for each in connections for call in each.calls.values() if call.over]
        self.assertEqual(set(resets), {ENHANCE_YOUR_CALM} if SECONDS > 75 else set())
        self.note_worst(f"{CONNECTIONS * STREAMS} streams asked for {size >> 10} kB each; {len(resets)} were ended")
