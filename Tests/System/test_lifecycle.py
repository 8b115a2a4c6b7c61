"""Starting without documents, rereading, listening on a socket file, stopping; and what it costs to be there."""

import os
import shutil
import signal
import subprocess
import time

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from rig.case import SystemTest
from rig.documents import Documents, gateway, route, service
from rig.processes import ROOT, eventually
from rig.traffic import Load

PROMTOOL = ROOT / ".tools/promtool/usr/bin/promtool"
CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"


class Lifecycle(SystemTest):
    def test_nothing_is_said_before_there_are_documents(self):
        shutil.rmtree(self.documents.root)
        server = self.signalbox(ready=False)
        eventually(lambda: server.get("/live")[0] == 200, 10, "/live is 200")
        words = f"the directory {self.documents} (documents) does not exist: make it, or correct documents"
        eventually(lambda: f"the documents have not been read: {words}" in server.get("/ready")[1], 5, "/ready says why")
        self.assertEqual(server.get("/ready")[0], 503)
        self.assertEqual(server.state()["sources"][0]["problem"], words)
        self.assertIn(f'problem="{words}" reason=unreachable source=file', server.log.read_text())
        proxy = self.envoy(server)
        eventually(lambda: any(stream["types"] for stream in server.streams("edge-1")), 5, "Envoy has asked")
        time.sleep(0.5)
        self.assertEqual(server.metric("signalbox_xds_responses_total"), 0)
        self.assertEqual(server.get("/ready")[0], 503)

        aside = Documents(self.scratch / "aside")
        aside.write("all.yaml", "---\n".join([gateway(self.port), route("web"), service("web", self.upstream("web"))]))
        os.rename(aside.root, self.documents.root)
        eventually(lambda: server.get("/ready")[0] == 200, 5, "/ready after the directory came")
        proxy.wait_route(self.port, "web.example.com")

    def test_SIGHUP_rereads(self):
        # Where the directory is a link that a deploy tool moves, no watch on its files tells of it.
        releases = [Documents(self.scratch / f"release-{number}") for number in (0, 1)]
        upstream = self.upstream("web")
        for number, release in enumerate(releases):
            release.write("edge.yaml", gateway(self.port))
            release.write("web.yaml", "---\n".join([route("web", edit=number), service("web", upstream)]))
        link, aside = self.scratch / "current", self.scratch / "next"
        link.symlink_to(releases[0].root)
        server = self.signalbox(documents=link)
        self.envoy(server).wait_route(self.port, "web.example.com")
        with Load(self.port, "web.example.com", rate=50) as load:
            aside.symlink_to(releases[1].root)
            os.rename(aside, link)
            server.signal(signal.SIGHUP)
            eventually(lambda: load.responses[-1].header("x-edit") == "1", 2, "the other release")
        self.assert_none_failed(load)

    def test_SIGTERM_ends_it_and_costs_no_request(self):
        self.canary()
        server = self.signalbox()
        self.envoy(server).wait_route(self.port, "web.example.com")
        server.wait_settled("edge-1")
        with Load(self.port, "web.example.com", rate=200) as load:
            time.sleep(0.5)
            began = time.monotonic()
            self.assertEqual(server.stop(timeout=10), 0)
            self.note(f"stopped in {time.monotonic() - began:.2f} s")
            time.sleep(0.5)
        self.assert_none_failed(load, 150)

    def test_a_unix_socket_serves_too(self):
        self.canary()
        server = self.signalbox(xds=f"unix:{self.scratch}/xds.sock")
        self.envoy(server).wait_route(self.port, "web.example.com")
        server.kill()
        server.start()  # over the socket file that the killed one left
        server.wait_settled("edge-1")

    def test_metrics_are_as_prometheus_wants_them(self):
        self.canary()
        server = self.signalbox()
        self.envoy(server).wait_route(self.port, "web.example.com")
        status, page = server.get("/metrics")
        self.assertEqual(status, 200)
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=page, capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertEqual(server.metric("signalbox_build_info"), 1)
        self.assertEqual(server.metric("signalbox_xds_streams", variant="delta"), 1)
        self.assertEqual(server.metric("signalbox_source_up", source="file"), 1)
        self.assertGreaterEqual(server.metric("signalbox_xds_requests_total", kind="ack"), 4)

    def test_start_and_idle_are_cheap(self):
        self.canary()
        server = self.signalbox(start=False)
        began = time.monotonic()
        server.start(ready=False)
        with grpc.insecure_channel(server.xds, [("grpc.initial_reconnect_backoff_ms", 100)]) as channel:
            asked = discovery_pb2.DeltaDiscoveryRequest(node={"id": "edge-1", "cluster": "edge"}, type_url=CLUSTER)
            delta = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel).DeltaAggregatedResources
            answer = next(delta(self.asking(asked), wait_for_ready=True, timeout=10))
        took = (time.monotonic() - began) * 1000
        self.assertEqual({each.name for each in answer.resources}, {"web?tag=stable", "web?tag=canary"})
        self.envoy(server).wait_route(self.port, "web.example.com")
        time.sleep(1)
        self.note(f"{took:.0f} ms from start to the first answer; {server.resident_megabytes():.0f} MB with one Envoy")

    def asking(self, request):
        """One request, on a stream that stays open until the answer is there."""
        yield request
        time.sleep(1)
