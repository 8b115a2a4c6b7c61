"""Signalbox is killed and started again under load: no request notices, and nothing is sent that Envoy already has."""

from rig.case import SystemTest
from rig.documents import route
from rig.processes import eventually
from rig.traffic import Load

RATE = 200
# What Envoy counts when it takes in configuration. An empty response may count as a success, a resource does not pass.
UPDATES = (
    "cluster_manager.cluster_(added|modified|removed|updated)",
    "listener_manager.listener_(added|modified|removed)",
    "cluster.web.*update_success",
    "http.*rds.*(update_success|config_reload)$",
)


class Restart(SystemTest):
    def restarts_under_load(self, times, *flags):
        """Resources sent after each restart; the counters in Envoy of what it took in must not have moved."""
        self.canary(stable=50, canary=50)
        signalbox = self.signalbox()
        envoy = self.envoy(signalbox, *flags)
        envoy.wait_route(self.port, "web.example.com")
        signalbox.wait_settled("edge-1")
        before, sent = self.taken_in(envoy), []
        self.assertGreater(len(before), 4, "counters found")
        with Load(self.port, "web.example.com", rate=RATE) as load:
            for _ in range(times):
                signalbox.kill()
                signalbox.start()
                signalbox.wait_settled("edge-1", timeout=35)
                sent.append(signalbox.metric("signalbox_xds_resources_sent_total"))
            after = self.taken_in(envoy)
            self.documents.write("web.yaml", route("web", {"stable": 0, "canary": 1}, edit=1))
            eventually(lambda: load.responses[-1].header("x-edit") == "1", 5, "an edit after the last restart")
        self.assert_none_failed(load, RATE * times // 16)
        self.note(f"{times} kills, {len(load.responses):,} requests")
        return sent, before, after

    def taken_in(self, envoy):
        return {name: value for prefix in UPDATES for name, value in envoy.stats(prefix).items()}

    def test_killed_twenty_times_with_delta(self):
        sent, before, after = self.restarts_under_load(20)
        self.assertEqual(sum(sent), 0, "resources sent after restarts")
        self.assertEqual(before, after, "what Envoy took in")

    def test_killed_five_times_with_SotW(self):
        # A SotW client tells the version it has with its first request: the same version is not sent again.
        sent, before, after = self.restarts_under_load(5, "--sotw")
        self.note(f"resources sent again after each: {sent}")
        self.assertEqual(before["cluster_manager.cluster_modified"], after["cluster_manager.cluster_modified"])
        self.assertEqual(before["listener_manager.listener_modified"], after["listener_manager.listener_modified"])
