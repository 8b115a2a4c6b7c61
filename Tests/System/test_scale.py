"""B16, B17: thousands of clusters, what a change of one endpoint among them costs, and requests of many megabytes."""

import time

from rig import documents
from rig.bench import BenchServer, name
from rig.case import SystemTest, sized
from rig.http2 import Connection
from rig.processes import eventually
from rig.xds import CDS, DELTA, EDS, RESOURCE_EXHAUSTED, DeltaDiscoveryResponse, Proxy, delta

CLUSTERS, ENDPOINTS = sized(5_000, 2_000), 4
SYNCED = 30  # seconds, for an Envoy
CHANGE = 2_000  # bytes
GONE = 40_000  # clusters that a proxy held which reconnects
MEGABYTE = 1 << 20
WHOLE, MANY = sized(20_000_000, 5_000_000), sized(5_000, 500)  # bytes of one SotW response, and clusters in it


class Scale(SystemTest):
    def setUp(self):
        super().setUp()
        self.server = BenchServer(self.scratch, CLUSTERS, ENDPOINTS, self.port)
        self.processes.append(self.server)
        self.server.start()

    def tearDown(self):
        Connection.close_all()
        super().tearDown()

    def reaches_an_envoy(self, *flags):
        began = time.monotonic()
        proxy = self.envoy(self.server, *flags)
        eventually(lambda: proxy.stats("listener_manager.total_listeners_active")
                   ["listener_manager.total_listeners_active"], SYNCED, "Envoy has the listener")
        hosts = self.hosts(proxy)
        took = time.monotonic() - began
        self.assertEqual(len(hosts), CLUSTERS * ENDPOINTS)
        stats = proxy.stats("(cluster_manager|server.memory_allocated)")
        self.assertEqual(stats["cluster_manager.active_clusters"], CLUSTERS + 1, "with the server's own")
        self.assertEqual(stats["cluster_manager.warming_clusters"], 0)
        moved = (name(CLUSTERS // 2), ":8081")
        self.server.touch(CLUSTERS // 2)
        changed = time.monotonic()
        eventually(lambda: any(cluster == moved[0] and host.endswith(moved[1]) for cluster, host in self.hosts(proxy)),
                   2, "Envoy has the change")
        took_change = (time.monotonic() - changed) * 1000
        self.note(f"{CLUSTERS} clusters and {len(hosts)} endpoints in {took:.1f} s from Envoy's start, of which it "
                  f"allocates {stats['server.memory_allocated'] / 1e6:.0f} MB; an endpoint's change after "
                  f"{took_change:.0f} ms; the server has {self.server.resident_megabytes():.0f} MB")

    def hosts(self, proxy):
        """Of all clusters but the server's own: (cluster, address)."""
        lines = (line.split("::") for line in proxy.get("/clusters")[1].splitlines() if "::cx_active::" in line)
        return {(cluster, host) for cluster, host, *_ in lines if cluster.startswith("service-")}

    def test_thousands_of_clusters_over_delta(self):
        self.reaches_an_envoy()

    def test_thousands_of_clusters_over_SotW(self):
        self.reaches_an_envoy("--sotw")

    def test_a_changed_endpoint_is_a_small_message(self):
        fake = Proxy(self.server.xds, "bench-delta", ["routes"]).synced(CLUSTERS)
        whole = Proxy(self.server.xds, "bench-sotw", ["routes"], sotw=True).synced(CLUSTERS)
        figures = []
        for number in range(10):
            responses, before = len(fake.log), fake.connection.received
            self.server.touch(number)
            fake.until(lambda responses=responses: len(fake.log) > responses, 5, "the change")
            fake.pump(0.05)
            told = [(each.kind, list(each.content)) for each in fake.log[responses:]]
            self.assertEqual(told, [(EDS, [name(number)])])
            figures.append((fake.log[-1].size, fake.connection.received - before))
        message, wire = max(figures)[0], max(each for _, each in figures)
        self.assertLess(wire, CHANGE, "bytes on the wire, acknowledgements included")
        self.note(f"{message} bytes, {wire} on the wire; SotW's largest response "
                  f"{max(each.size for each in whole.log) / 1e6:.1f} MB")

    def test_a_reconnect_of_many_megabytes(self):
        others = Proxy(self.server.xds, "bench-others", ["routes"]).synced(CLUSTERS)
        served = [(megabytes, self.reconnect(megabytes, others)) for megabytes in (5, 60)]
        connection, call = self.ask(70)
        connection.close()
        self.assertEqual(call.status, RESOURCE_EXHAUSTED, call.details)
        self.still_served(others)
        self.note(", ".join(f"{megabytes} MiB answered after {took:.1f} s" for megabytes, took in served)
                  + f"; 70 MiB: {call.details}; the server has {self.server.resident_megabytes():.0f} MB")

    def reconnect(self, megabytes, others):
        """Answered with what there is, and then with what is there no more; the seconds that the first took."""
        began = time.monotonic()
        connection, call = self.ask(megabytes)
        took = time.monotonic() - began
        self.assertFalse(call.over, call.details)
        there = DeltaDiscoveryResponse.FromString(call.messages[0])
        self.assertEqual(len(there.resources), CLUSTERS)
        connection.say(call, delta(CDS, nonce=there.nonce))
        connection.until(lambda: len(call.messages) > 1, 10, "the removals")
        self.assertEqual(len(DeltaDiscoveryResponse.FromString(call.messages[1]).removed_resources), GONE)
        connection.close()
        self.still_served(others)
        return took

    def ask(self, megabytes):
        """The first request of a proxy that held all there is, and more, in versions that are very long."""
        names = [*map(name, range(CLUSTERS)), *(f"gone-since-then-{number:06}" for number in range(GONE))]
        version = "v" * (megabytes * MEGABYTE // len(names) - 30)
        request = delta(CDS, ["*"], node="bench-large", initial_resource_versions=dict.fromkeys(names, version))
        self.assertGreater(len(request), (megabytes - 1) * MEGABYTE)
        connection = Connection(self.server.xds)
        call = connection.call(DELTA)
        connection.say(call, request)
        connection.until(lambda: call.messages or call.over, 30, f"an answer to {megabytes} MiB")
        return connection, call

    def still_served(self, others):
        before = len(others.log)
        self.server.touch(7)
        others.until(lambda: len(others.log) > before, 2, "a change for the others")


class Whole(SystemTest):
    """B16: the state of the world in one response of 20 MB, as clusters with much metadata make it."""

    def document(self, number, text="v" * (WHOLE // MANY)):
        metadata = {"filter_metadata": {"inventory": {"text": text}}}
        cluster = {"@type": CDS, "name": name(number), "type": "STATIC", "metadata": metadata}
        return documents.raw(name(number), cluster) + "\n"

    def test_a_response_of_many_megabytes(self):
        self.documents.write("edge.yaml", documents.gateway(self.port))
        for first in range(0, MANY, MANY // 10):
            several = map(self.document, range(first, first + MANY // 10))
            self.documents.write(f"{name(first)}.yaml", documents.together(*several))
        server = self.signalbox("--allow-envoy-resources")
        tap = self.tap(server)
        began = time.monotonic()
        proxy = self.envoy(server, "--sotw", xds=tap.xds)
        eventually(lambda: self.accepted(proxy) == (1, 0, MANY + 1), SYNCED, "Envoy has all clusters, by one response")
        took = time.monotonic() - began
        # A cluster more is another whole response.
        self.documents.write("more.json", self.document(MANY, "more"))
        eventually(lambda: self.accepted(proxy) == (2, 0, MANY + 2), SYNCED, "Envoy has one more")
        server.wait_settled("edge-1")
        sizes = [said.message.ByteSize() for said in tap.responses("CDS")]
        self.assertEqual(len(sizes), 2, "responses of clusters")
        self.assertGreaterEqual(min(sizes), WHOLE)
        [received] = proxy.stats("cluster.signalbox.*rx_bytes_total").values()
        self.assertGreaterEqual(received, sum(sizes), "bytes that Envoy read from its control plane")
        self.note(f"{MANY} clusters in a response of {sizes[0] / 1e6:.1f} MB {took:.1f} s from Envoy's start; the "
                  f"server has {server.resident_megabytes():.0f} MB")

    def accepted(self, proxy):
        """Responses with clusters that it took, and that it refused; its clusters, with the server's own."""
        stats = proxy.stats("cluster_manager")
        return tuple(stats[f"cluster_manager.{each}"] for each in
                     ("cds.update_success", "cds.update_rejected", "active_clusters"))
