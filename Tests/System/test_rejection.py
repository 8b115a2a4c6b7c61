"""Envoy refuses a resource: it is sent once, reported in Envoy's words, and everything else keeps flowing.

B1: exactly one send of a version, idle below 1 % of a CPU, good resources of its type still updated, its words and
origin in /state. B2: the cure is delivered within 500 ms.
"""

import json
import time
from pathlib import Path

from rig.case import SystemTest
from rig.documents import gateway, raw, route, service
from rig.processes import eventually
from rig.traffic import Load

TYPE = "type.googleapis.com/envoy.config"
ADDRESS = {"socket_address": {"address": "127.0.0.1", "port_value": 1}}
CLUSTER = {"@type": f"{TYPE}.cluster.v3.Cluster", "name": "odd", "type": "STATIC", "connect_timeout": "1s"}
LISTENER = {"@type": f"{TYPE}.listener.v3.Listener", "name": "odd", "address": ADDRESS, "bind_to_port": False}
TCP_PROXY = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    "stat_prefix": "odd",
    "cluster": "web",
}

# type -> (the resource that Envoy refuses, its words, the stat that counts refusals, the cure)
REFUSED = {
    "CDS": (
        CLUSTER | {"eds_cluster_config": {"eds_config": {"ads": {}}}},
        "eds_cluster_config set in a non-EDS cluster",
        "cluster_manager.cds.update_rejected",
        CLUSTER,
    ),
    "LDS": (
        LISTENER,
        "no filter chains specified",
        "listener_manager.lds.update_rejected",
        LISTENER | {"filter_chains": [{"filters": [{"name": "tcp", "typed_config": TCP_PROXY}]}]},
    ),
}

IDLE = 5  # seconds


def cpu(process):
    """Seconds of processor time that it took until now."""
    threads = Path(f"/proc/{process.child.pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


class Rejection(SystemTest):
    def refused_over(self, kind, *flags):
        bad, words, rejected, cured = REFUSED[kind]
        self.upstream("web"), self.upstream("extra")
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstreams[0]))
        self.documents.write("route.yaml", route("web", edit=0))
        server = self.signalbox("--allow-envoy-resources")
        tap = self.tap(server)
        proxy = self.envoy(server, *flags, xds=tap.xds)
        proxy.wait_route(self.port, "web.example.com")

        with Load(self.port, "web.example.com", rate=50, connections=2) as load:
            # A bad one and a good one in the same edit: the good one arrives.
            self.documents.write("extra.yaml", service("extra", self.upstreams[1]))
            self.documents.write("route-extra.yaml", route("extra"))
            self.documents.write("odd.json", raw("odd", bad))
            report = eventually(lambda: server.state()["rejections"], 3, "the rejection is reported")
            self.assertEqual([each["type"] for each in report], [kind])
            self.assertEqual([each["names"] for each in report], [["odd"]])
            self.assertIn("edge-1", json.dumps(report[0]["node"]))
            self.assertIn(words, report[0]["message"])
            self.assertIn("odd.json", report[0]["origin"])
            proxy.wait_route(self.port, "extra.example.com")

            # Other updates, also of the same type, for three seconds: the bad version is not offered again.
            for number in range(1, 16):
                self.documents.write("route.yaml", route("web", edit=number))
                self.documents.write("more.yaml", service(f"more{number}", self.upstreams[1]))
                self.documents.write("route-more.yaml", route(f"more{number}"))
                time.sleep(0.2)
            proxy.wait_route(self.port, "more15.example.com", timeout=2)
            self.assertEqual(self.refused_now(server, kind), ["odd"])
            self.assertEqual(load.responses[-1].header("x-edit"), "15")
            self.assertEqual(proxy.stats(rejected)[rejected], 1)
            self.assertEqual(server.metric("signalbox_xds_nack_total", type=kind), 1)

            self.assertEqual(self.times_sent(tap, kind), 1, "sends of the refused version")
            self.assertLessEqual(max(len(each["message"]) for each in server.state()["rejections"]), 1024)

            # Seconds in which nothing happens cost nothing.
            before = cpu(server)
            time.sleep(IDLE)
            idle = 100 * (cpu(server) - before) / IDLE
            self.assertLess(idle, 1, "% of a CPU")

            # The cure arrives at once.
            fixed = self.documents.write("odd.json", raw("odd", cured))
            eventually(lambda: self.holds(proxy, kind) and not self.refused_now(server, kind), 3, "the cure")
            delay = (time.monotonic() - fixed) * 1000
        self.assert_none_failed(load, 100)
        self.note(f"idle {idle:.1f} %, cured in {delay:.0f} ms")
        self.assertLess(delay, 500)

    def times_sent(self, tap, kind):
        """How many responses carried the resource that was refused."""
        return sum(any(b"odd" in self.name(each) for each in said.message.resources) for said in tap.responses(kind))

    def name(self, resource):
        """Its first field, in either variant: the first bytes of a cluster or listener are its name."""
        return (resource.resource.value if hasattr(resource, "resource") else resource.value)[:5]

    def refused_now(self, server, kind):
        return [each["name"] for stream in server.streams("edge-1") for each in stream["types"][kind]["rejected"]]

    def holds(self, proxy, kind):
        if kind == "CDS":
            return "odd::" in proxy.get("/clusters")[1]
        # A listener that was refused is in the dump too, with an error and without an active state.
        dump = json.loads(proxy.get("/config_dump?resource=dynamic_listeners")[1])
        return any(each["name"] == "odd" and "active_state" in each for each in dump.get("configs", []))

    def test_a_cluster_over_delta(self):
        self.refused_over("CDS")

    def test_a_cluster_over_SotW(self):
        self.refused_over("CDS", "--sotw")

    def test_a_listener_over_delta(self):
        self.refused_over("LDS")

    def test_a_listener_over_SotW(self):
        self.refused_over("LDS", "--sotw")
