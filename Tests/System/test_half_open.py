"""C5: a proxy that is gone without a word (its packets are lost, or it hangs) is found, and its place is free again.

Finding it takes 40 s, because the server's keepalive is fixed: a PING after 30 s, the end 10 s later.
"""

import os
import time

from rig.case import SOAK, SystemTest
from rig.documents import gateway, route, service, together
from rig.namespace import Namespace
from rig.processes import eventually, free_port
from rig.xds import Proxy

FOUND = 60  # seconds
STOPS = 7  # seconds: streams may take 5


class HalfOpen(SystemTest):
    def setUp(self):
        super().setUp()
        documents = gateway(self.port), route("web"), service("web", self.upstream("web"))
        self.documents.write("all.yaml", together(*documents))

    def test_proxies_that_are_gone_without_a_word(self):
        for reason in [*["only with SIGNALBOX_SOAK=1"] * (not SOAK), *["only as root"] * bool(os.geteuid())]:
            self.note(f"not run: {reason}")
            self.skipTest(reason)
        namespace = Namespace()
        self.addCleanup(namespace.remove)
        xds = f"{namespace.address}:{free_port()}"
        server = self.signalbox("--xds-listen", xds)
        before = server.metric("process_open_fds")
        cut = namespace.run(lambda: Proxy(xds, "edge-cut"))
        hung, well = (Proxy(server.xds, f"edge-{name}") for name in ("hung", "well"))
        for proxy in (cut, hung, well):
            proxy.synced(1)
        self.assertEqual(server.metric("signalbox_xds_streams"), 3)

        namespace.cut()
        began, found = time.monotonic(), {}
        while len(found) < 2 and time.monotonic() < began + FOUND:
            well.pump(0.2)
            nodes = {stream["node"]["id"] for stream in server.streams()}
            for proxy in (cut, hung):
                if proxy.node not in nodes:
                    found.setdefault(proxy.node, time.monotonic() - began)
        self.note(", ".join(f"{node} found after {after:.0f} s" for node, after in found.items()))
        self.assertEqual(set(found), {"edge-cut", "edge-hung"}, f"found within {FOUND} s")
        self.assertEqual([stream["node"]["id"] for stream in server.streams()], ["edge-well"])
        self.assertEqual(server.metric("signalbox_xds_streams"), 1)
        # Their sockets too: one is left, of the one that is well, and nobody else asks.
        eventually(lambda: server.metric("process_open_fds") <= before + 1, 5, "the sockets are closed")
        self.assertFalse(well.connection.closed, well.connection)

    def test_SIGTERM_does_not_wait_for_a_proxy_that_hangs(self):
        server = self.signalbox()
        hung = Proxy(server.xds, "edge-hung").synced(1)
        began = time.monotonic()
        self.assertEqual(server.stop(timeout=STOPS), 0, f"the exit code, within {STOPS} s")
        self.note(f"stopped in {time.monotonic() - began:.2f} s")
        hung.close()
