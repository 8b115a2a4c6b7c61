"""Two control planes read the same documents, and are one to Envoy."""

from rig.case import SystemTest, sized
from rig.documents import Documents, gateway, route, service, together
from rig.processes import eventually
from rig.traffic import Load

BOUNCES, BOUNCES_SOTW, RATE = sized(100, 10), sized(100, 4), 200
# What Envoy counts when it takes something in.
TAKEN_IN = (
    "cluster_manager.cluster_(added|modified|removed|updated)", "listener_manager.listener_(added|modified|removed)",
    "cluster_manager.cds.update_(success|rejected)", "listener_manager.lds.update_(success|rejected)",
    r"cluster\..*update_(success|rejected|no_rebuild)", r"http\..*rds.*(update_success|config_reload)$",
)


class TwoControlPlanes(SystemTest):
    """B14: Envoy bounced between two control planes 100 [10] times: the same bytes and versions, nothing to take in."""

    def bounced_over(self, *flags, times=BOUNCES):
        edge, routes = gateway(self.port), [route(name, {"stable": 90, "canary": 10}) for name in ("web", "api")]
        upstreams = [(self.upstream("stable"), "stable"), (self.upstream("canary"), "canary")]
        services = [service(name, *upstreams) for name in ("web", "api")]
        # The same documents, spread over files in another way and order.
        self.documents.write("all.yaml", together(edge, *routes, *services))
        other = Documents(self.scratch / "other")
        for number, document in enumerate([*reversed(services), *reversed(routes), edge]):
            other.write(f"{number}.yaml", document)
        servers = [self.signalbox(), self.signalbox(documents=other, name="other-signalbox")]
        taps = [self.tap(server) for server in servers]
        proxies = [self.envoy(server, *flags, node=f"edge-{number}", xds=tap.xds, name=f"envoy-{number}")
                   for number, (server, tap) in enumerate(zip(servers, taps, strict=True))]
        proxies[0].wait_route(self.port, "web.example.com")
        eventually(lambda: self.sent(taps[0]).keys() == self.sent(taps[1]).keys(), 5, "both have sent everything")
        self.assertEqual(self.sent(taps[0]), self.sent(taps[1]), "what each of the two sends")
        self.processes.pop().stop()  # the second Envoy

        servers[0].wait_settled("edge-0")
        before, said = self.taken_in(proxies[0]), len(taps[0].said)
        self.assertGreater(len(before), 8, before)
        with Load(self.port, ["web.example.com", "api.example.com"], RATE) as load:
            for bounce in range(1, times + 1):
                server = servers[bounce % 2]
                taps[0].target = server.xds
                taps[0].cut()
                server.wait_settled("edge-0")
                eventually(lambda: not servers[1 - bounce % 2].streams("edge-0"), 5, "it left the other")
        after = self.taken_in(proxies[0])
        # A bounce takes 25 ms at least.
        self.assert_none_failed(load, times * RATE // 40)
        resent = [each for each in taps[0].responses(since=said) if each.message.resources]
        self.note(f"{times} bounces, {len(load.responses):,} requests, {len(resent)} responses with resources")
        self.assertEqual([str(each) for each in resent[:3]], [], "sent to one that is current")
        self.assertEqual(before, after, "what Envoy took in")

    def sent(self, tap):
        """(type, name or version of the whole) -> version and bytes."""
        sent = {}
        for said in tap.responses():
            for each in said.message.resources:
                if hasattr(each, "resource"):
                    sent[said.kind, each.name] = each.version, each.resource.value
                else:
                    sent[said.kind, each.value] = said.message.version_info, each.value
        return sent

    def taken_in(self, proxy):
        found = {name: value for prefix in TAKEN_IN for name, value in proxy.stats(prefix).items()}
        # An empty response, which a wildcard is answered with, counts as an update of nothing.
        return {name: value for name, value in found.items()
                if not name.endswith(("cds.update_success", "lds.update_success"))}

    def test_over_delta(self):
        self.bounced_over()

    def test_over_SotW(self):
        # Not sent anything, Envoy waits longer before each reconnection: up to 2 s.
        self.bounced_over("--sotw", times=BOUNCES_SOTW)
