"""Settings of clusters change under load: Envoy makes each cluster anew and waits for endpoints that it has already."""

import threading
import time

from rig.case import SystemTest, sized
from rig.documents import gateway, route, service, together
from rig.processes import eventually
from rig.traffic import Load

CLUSTERS, RATE = sized(100, 20), 300
WARM_WITHIN = 1.0  # seconds


class Watch(threading.Thread):
    """Asks Envoy again and again how many clusters are warming, and remembers the longest time that some were."""

    def __init__(self, envoy):
        super().__init__(daemon=True)
        self.envoy, self.longest, self.looks, self.ended = envoy, 0, 0, threading.Event()

    def run(self):
        since = None
        while not self.ended.wait(0.02):
            warming = self.envoy.stats("cluster_manager.warming_clusters")["cluster_manager.warming_clusters"]
            now, self.looks = time.monotonic(), self.looks + 1
            since = (since or now) if warming else None
            self.longest = max(self.longest, now - since if since else 0)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


class ClusterSettings(SystemTest):
    """B7: cluster settings change for 100 [20] clusters under 300 requests/s: endpoints follow each, no request fails,
    and no cluster is warming for more than 1 s."""

    def change_over(self, *flags):
        self.names = [f"service{number}" for number in range(CLUSTERS)]
        self.documents.write("edge.yaml", gateway(self.port))
        services = (service(name, self.upstream(name)) for name in self.names)
        self.documents.write("services.yaml", together(*services))
        self.documents.write("routes.yaml", together(*(route(name) for name in self.names)))
        self.server = self.signalbox()
        self.tapped = self.tap(self.server)
        self.proxy = self.envoy(self.server, *flags, xds=self.tapped.xds)
        for name in self.names:
            self.proxy.wait_route(self.port, f"{name}.example.com")
        self.server.wait_settled("edge-1")
        said = len(self.tapped.said)
        hosts = [f"{name}.example.com" for name in self.names]
        with Watch(self.proxy) as watch, Load(self.port, hosts, RATE) as load:
            for number, name in enumerate(self.names):  # one after the other
                self.defaults(name, timeout=2 + number % 3)
                self.settled(number + 1)
            for step, limit in enumerate((2000, 3000)):  # and all at once
                self.documents.write("defaults.yaml", together(*(self.text(name, limit=limit) for name in self.names)))
                if not step:  # from files of their own to one
                    for name in self.names:
                        self.documents.remove(f"defaults-{name}.yaml")
                self.settled((step + 2) * CLUSTERS)
        self.assert_none_failed(load, RATE)
        self.follows(said, 3 * CLUSTERS, bool(flags))
        warming = f"warming {1000 * watch.longest:.0f} ms at most in {watch.looks} looks"
        self.note(f"{CLUSTERS} clusters, {len(load.responses):,} requests, {warming}")
        self.assertGreater(watch.looks, CLUSTERS / 2)
        self.assertLess(watch.longest, WARM_WITHIN)
        self.assertEqual(self.server.state()["rejections"], [])

    def text(self, name, timeout=5, limit=1024):
        return (f"kind: service-defaults\nname: {name}\nconnectTimeout: {timeout}s\n"
                f"loadBalancer: {{policy: least_request}}\ncircuitBreaker: {{maxConnections: {limit}}}\n")

    def defaults(self, name, **settings):
        self.documents.write(f"defaults-{name}.yaml", self.text(name, **settings))

    def settled(self, modified):
        name = "cluster_manager.cluster_modified"
        eventually(lambda: self.proxy.stats(name)[name] >= modified, 10, f"{modified} clusters modified")
        self.server.wait_settled("edge-1")

    def follows(self, since, least, is_sotw):
        """Every cluster that was sent is followed by its endpoints."""
        from envoy.config.cluster.v3 import cluster_pb2
        from envoy.config.endpoint.v3 import endpoint_pb2

        sent, owed, held = 0, {}, {}
        for number, said in enumerate(self.tapped.said):
            if said.is_request:
                continue
            for each in said.message.resources:
                data = each.value if is_sotw else each.resource.value
                if said.kind == "CDS":
                    name = cluster_pb2.Cluster.FromString(data).name
                    if held.get(name) != data:
                        sent, owed[name], held[name] = sent + (number >= since), said.at, data
                elif said.kind == "EDS":
                    owed.pop(endpoint_pb2.ClusterLoadAssignment.FromString(data).cluster_name, None)
        self.assertEqual(owed, {}, "clusters whose endpoints did not follow")
        self.assertGreaterEqual(sent, least)

    def test_over_delta(self):
        self.change_over()

    def test_over_SotW(self):
        self.change_over("--sotw")
