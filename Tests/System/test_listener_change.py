"""A listener gets another filter chain while connections are open."""

import time

from rig.case import SystemTest, sized
from rig.documents import gateway, raw, route, service
from rig.processes import eventually, free_port
from rig.resources import listener, route_configuration, to, virtual_host
from rig.traffic import Load

CONNECTIONS, CHANGES, DRAIN = sized(200, 50), sized(10, 2), 2  # seconds


class ListenerChange(SystemTest):
    """B10: a listener's filter chain changes under 200 [50] keep-alive connections: no request fails, and the old
    connections are drained in the drain time.

    With the drain strategy "immediate" Envoy says "connection: close" in the next answer, and not by chance in one of
    the next: the rest would be closed in the middle of what clients send."""

    def changed_over(self, *flags):
        port = free_port()
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        self.documents.write("route.yaml", route("web"))
        self.write(port, 0)
        server = self.signalbox("--allow-envoy-resources")
        proxy = self.envoy(server, *flags, arguments=["--drain-time-s", DRAIN, "--drain-strategy", "immediate"])
        proxy.wait_route(port, "x")
        drained = []
        with Load(port, "x", rate=2 * CONNECTIONS, connections=CONNECTIONS) as load:
            for number in range(1, CHANGES + 1):
                eventually(lambda: self.active(proxy) >= CONNECTIONS, 5, "all connections are open")
                changed = self.write(port, number)
                eventually(lambda: load.responses[-1].header("x-edit") == str(number), 3, f"change {number}")
                eventually(lambda: not self.draining(proxy), DRAIN + 3, "the old filter chain is gone")
                drained.append(time.monotonic() - changed)
        self.assert_none_failed(load, CONNECTIONS * CHANGES)
        self.note(f"{len(load.responses):,} requests; drained after {max(drained):.1f} s at most (of {DRAIN})")
        self.assertLess(max(drained), DRAIN + 1)
        self.assertEqual(server.state()["rejections"], [])

    def write(self, port, number):
        host = virtual_host("raw", to("web"), response_headers_to_add=[
            {"header": {"key": "x-edit", "value": str(number)}}])
        resource = listener("raw", port, route_config=route_configuration("raw", host, resource=False))
        return self.documents.write("listener.json", raw("listener", resource))

    def active(self, proxy):
        name = "http.raw.downstream_cx_active"
        return proxy.stats(name)[name]

    def draining(self, proxy):
        names = ("listener_manager.total_filter_chains_draining", "listener_manager.total_listeners_draining")
        return sum(proxy.stats(name)[name] for name in names)

    def test_over_delta(self):
        self.changed_over()

    def test_over_SotW(self):
        self.changed_over("--sotw")
