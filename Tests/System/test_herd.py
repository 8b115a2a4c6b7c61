"""C1: a herd of proxies that know nothing connects at once, and a real Envoy beside it gets its edits all the same."""

from rig.bench import Herd
from rig.bystander import SERVICES, BesideOthers, peak_megabytes
from rig.case import sized
from rig.documents import gateway, raw
from rig.resources import route_configuration

PROXIES = sized(1_000, 200)
SYNCED, MEGABYTES = 10, 600  # the last of them after so many seconds; of the server, at its peak


class Reconnection(BesideOthers):
    flags = ("--allow-envoy-resources",)

    def setUp(self):
        super().setUp()
        # `bench load` takes the endpoints of every cluster, and a route configuration of this name.
        text = gateway(self.port).replace('"edge-*"', '"edge-*", "bench-*"')
        self.documents.write("routes.json", raw("routes", route_configuration("routes")))
        self.documents.write("edge.yaml", text)

    def herd(self, variant):
        report = self.beside(
            lambda: Herd(self.server.xds, streams=PROXIES, variant=variant, changes=0, timeout=60).report(),
            growth=MEGABYTES,
        )
        self.assertEqual(report["clusters"], SERVICES, "what each of them holds")
        self.assertLess(report["sync_s"], SYNCED)
        self.assertLess(peak_megabytes(self.server), MEGABYTES)
        self.note_worst(f"{PROXIES} proxies of {SERVICES} clusters in sync after {report['sync_s']:.1f} s, half "
                        f"of them after {report['sync_p50_s']:.1f} s; {peak_megabytes(self.server):.0f} MB in all")

    def test_a_herd_over_delta(self):
        self.herd("delta")

    def test_a_herd_over_SotW(self):
        self.herd("sotw")
