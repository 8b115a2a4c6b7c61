"""C5: a proxy that is gone without a word (its packets are lost, or it hangs) is found, and its place is free again.
Needs root, for a network of its own.

It takes 45 s in every size, because the server's keepalive is fixed: a PING after 30 s, GOAWAY 10 s later, and the end
after 5 s more.
"""

import os
import time
from pathlib import Path

from rig.case import SystemTest, sized
from rig.documents import gateway, route, service, together
from rig.http2 import Connection
from rig.namespace import Namespace
from rig.processes import eventually, free_port
from rig.xds import Proxy

EACH = sized(100, 2)  # of those that are cut off, and of those that hang
FOUND = 60  # seconds
STOPS = 7  # seconds: streams may take 5


def sockets(process):
    return sum(os.readlink(each).startswith("socket:") for each in Path(f"/proc/{process.child.pid}/fd").iterdir())


class HalfOpen(SystemTest):
    def setUp(self):
        super().setUp()
        documents = gateway(self.port), route("web"), service("web", self.upstream("web"))
        self.documents.write("all.yaml", together(*documents))

    def tearDown(self):
        Connection.close_all()
        super().tearDown()

    def test_proxies_that_are_gone_without_a_word(self):
        namespace = Namespace()
        self.addCleanup(namespace.remove)
        xds = f"{namespace.address}:{free_port()}"
        server = self.signalbox("--xds-listen", xds)
        # The half of them has changes on the way when it is lost, and the others are idle.
        asks = [(number, ["edge/http"] * (number % 2)) for number in range(EACH)]
        cut = namespace.run(lambda: [Proxy(xds, f"edge-cut-{number}", routes) for number, routes in asks])
        hung = [Proxy(server.xds, f"edge-hung-{number}", routes) for number, routes in asks]
        well = Proxy(server.xds, "edge-well", ["edge/http"])
        for proxy in (*cut, *hung, well):
            proxy.synced(1)
        self.assertEqual(server.metric("signalbox_xds_streams"), 2 * EACH + 1)

        namespace.cut()
        self.documents.write("edit.yaml", route("web-2", service="web"))
        began, found = time.monotonic(), {}
        while len(found) < 2 * EACH and time.monotonic() < began + FOUND:
            well.pump(0.2)
            nodes = {stream["node"]["id"] for stream in server.streams()}
            for proxy in (*cut, *hung):
                if proxy.node not in nodes:
                    found.setdefault(proxy.node, time.monotonic() - began)
        self.assertEqual(set(found), {proxy.node for proxy in (*cut, *hung)}, f"found within {FOUND} s")
        self.note(f"{EACH} cut off and {EACH} that hang, found after {min(found.values()):.0f} to "
                  f"{max(found.values()):.0f} s")
        self.assertEqual([stream["node"]["id"] for stream in server.streams()], ["edge-well"])
        self.assertEqual(server.metric("signalbox_xds_streams"), 1)
        # Their sockets too: three that listen are left, and that of the one that is well.
        eventually(lambda: sockets(server) == 3 + 1, 5, "the sockets are closed")
        self.assertFalse(well.connection.closed, well.connection)

    def test_SIGTERM_does_not_wait_for_a_proxy_that_hangs(self):
        server = self.signalbox()
        Proxy(server.xds, "edge-hung").synced(1)
        began = time.monotonic()
        self.assertEqual(server.stop(timeout=STOPS), 0, f"the exit code, within {STOPS} s")
        self.note(f"stopped in {time.monotonic() - began:.2f} s")
