"""Certificates by SDS, from documents of the kind envoy-resource."""

from rig.case import SystemTest, sized
from rig.documents import gateway, raw, route, service
from rig.processes import eventually, free_port
from rig.resources import ADS, answer, listener, route_configuration, virtual_host
from rig.tls import Certificate, Handshakes

ROUNDS = sized(20, 3)


class Secrets(SystemTest):
    """B6: a restart of the control plane, then a listener and a cluster change: secrets still come, no handshake fails.

    The recipe of https://github.com/envoyproxy/gateway/issues/9519: Envoy loses a secret when the bytes of the config
    source that names it change."""

    def restarts_over(self, *flags):
        self.ports = [free_port(), free_port()]
        self.certificates = [Certificate(self.scratch, f"{name}.example.com") for name in ("one", "two")]
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        self.documents.write("route.yaml", route("web"))
        self.write(0)
        self.server = self.signalbox("--allow-envoy-resources")
        tap = self.tap(self.server)
        proxy = self.envoy(self.server, *flags, xds=tap.xds)
        proxy.wait_route(self.port, "web.example.com")
        loads = [Handshakes(*each) for each in zip(self.ports, self.certificates, strict=True)]
        for number in (0, 1):
            eventually(lambda: self.handshake(number).responses[0].status == 200, 5, "the listener")
        with loads[0], loads[1]:
            for edit in range(1, ROUNDS + 1):
                self.round(edit, proxy, loads)
        for load in loads:
            self.assert_none_failed(load, 3 * ROUNDS)
        stats = proxy.stats(".*(sds|init_fetch)")
        timeouts = {name: value for name, value in stats.items() if "init_fetch_timeout" in name and value}
        self.assertEqual(timeouts, {}, "secrets waited for in vain")
        self.assertEqual(self.server.state()["rejections"], [])
        sources = {bytes_ for said in tap.responses("LDS") for bytes_ in self.sources(said, bool(flags))}
        self.assertEqual(len(sources), 2, "the bytes of what names a secret change")
        self.note(f"{ROUNDS} rounds, {sum(len(load.responses) for load in loads)} handshakes")

    def handshake(self, number):
        with Handshakes(self.ports[number], self.certificates[number], rate=None, connections=1) as load:
            load.limit = 1
            return load.join()

    def round(self, edit, proxy, loads):
        self.server.kill()
        self.server.start()
        self.server.wait_settled("edge-1")
        before = self.updates(proxy)
        for certificate, load in zip(self.certificates, loads, strict=True):
            certificate.renew()
            load.trust()
        self.write(edit)
        self.documents.write("defaults.yaml", f"kind: service-defaults\nname: web\nconnectTimeout: {edit}s\n")
        for load, certificate in zip(loads, self.certificates, strict=True):
            eventually(lambda: load.serials[-1] == certificate.serials[-1], 3, f"the new certificate in round {edit}")
            eventually(lambda: load.responses[-1].body == str(edit), 3, f"the changed listener in round {edit}")
        eventually(lambda: f'"{edit}s"' in proxy.get("/config_dump?resource=dynamic_active_clusters")[1], 3, "cluster")
        after = self.updates(proxy)
        self.assertGreaterEqual(min(after[name] - before[name] for name in before), 1, (before, after))

    def updates(self, proxy):
        stats = proxy.stats(".*sds.*update_success")
        found = {name: value for name, value in stats.items() if ".secret-" in name}
        self.assertEqual(len(found), 2, stats)
        return found

    def write(self, edit):
        """Both listeners and their secrets, as the edit of this number has them."""
        for number, certificate in enumerate(self.certificates):
            name = f"secret-{number}"
            tls = {"common_tls_context": {"tls_certificate_sds_secret_configs": [{"name": name, "sds_config": ADS}]}}
            host = virtual_host("raw", answer(str(edit)))
            self.documents.write(f"{name}.json", raw(name, certificate.secret(name)))
            self.documents.write(f"listener-{number}.json", raw(f"listener-{number}", listener(
                f"tls-{number}", self.ports[number], tls=tls,
                route_config=route_configuration("raw", host, resource=False))))

    def sources(self, said, is_sotw):
        from envoy.config.listener.v3 import listener_pb2
        from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

        for each in said.message.resources:
            made = listener_pb2.Listener.FromString(each.value if is_sotw else each.resource.value)
            for chain in made.filter_chains:
                if chain.HasField("transport_socket"):
                    context = tls_pb2.DownstreamTlsContext()
                    chain.transport_socket.typed_config.Unpack(context)
                    for source in context.common_tls_context.tls_certificate_sds_secret_configs:
                        yield source.SerializeToString(deterministic=True)

    def test_over_delta(self):
        self.restarts_over()

    def test_over_SotW(self):
        self.restarts_over("--sotw")
