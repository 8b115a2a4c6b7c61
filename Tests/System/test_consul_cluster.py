"""The leader of three Consul servers is killed under load, again and again, and requests notice nothing."""

import time

from rig import documents as text
from rig.case import sized
from rig.consul import ConsulError, own_address
from rig.consul_case import STAYS, ConsulTest, answers, never
from rig.probe import Probe, percentile
from rig.processes import eventually
from rig.traffic import Load

KILLS = sized(20, 3)
WITHIN = sized(5, 10)  # seconds after the kill, the 99th percentile: most of it is Consul's election
OURS = 1  # of these


class ConsulCluster(ConsulTest):
    def setUp(self):
        super().setUp()
        addresses = [own_address() for _ in range(3)]
        joining = {"retry_join": addresses, "retry_interval": "1s"}
        self.servers = [
            self.consul(start=False, name=f"server-{number}", address=address, bootstrap_expect=3, **joining)
            for number, address in enumerate(addresses)
        ]
        self.agent = self.consul(start=False, name="agent", server=False, bootstrap_expect=0, **joining)
        for each in (*self.servers, self.agent):
            each.start(ready=False)
        self.agent.wait_ready()
        self.first, self.second = self.upstream("first"), self.upstream("second")
        self.agent.register("web", self.first.port, "first")
        self.documents.write("web.yaml", text.route("web"))

    def test_the_leader_is_killed(self):
        server = self.following(self.agent)
        self.envoy(server).wait_route(self.port, "web.example.com")
        web = Probe(self.port, "web.example.com")
        since_kill, since_written = [], []
        with Load(self.port, "web.example.com", rate=200) as load:
            for _ in range(KILLS):
                leader = self.whole()
                leader.kill()
                killed = time.monotonic()
                for change, good, in_a_row in (
                    (lambda: self.agent.register("web", self.second.port, "second"), answers(self.second), 1),
                    (lambda: self.agent.deregister("web", 0, "second"), never(self.second), STAYS),
                ):
                    self.write(change)
                    written = time.monotonic()
                    seconds = web.until(good, in_a_row)
                    since_written.append(seconds)
                    since_kill.append(written + seconds - killed)
                leader.start(ready=False)
        self.note(f"{KILLS} leaders killed, {len(load.failures)} of {len(load.responses)} requests failed")
        for name, took in (("killed", since_kill), ("a leader took the change", since_written)):
            self.note(f"in the requests after {name} p50 {percentile(took, .5):.2f} p99 {percentile(took, .99):.2f} s")
        self.assert_none_failed(load, at_least=1000)
        self.assertEqual(server.state()["held"], [])
        self.assertLessEqual(percentile(since_written, .99), OURS)
        self.assertLessEqual(percentile(since_kill, .99), WITHIN)

    def whole(self):
        """The leader of three that are all healthy, and with the agent."""
        def leader():
            healthy = {self.ask_health(each) for each in self.servers if each.running}
            return len(healthy) == 1 and next(iter(healthy))

        address = eventually(leader, 30, "three servers are healthy and agree about the leader", interval=0.1)
        return next(each for each in self.servers if each.address == address)

    @staticmethod
    def ask_health(server):
        health = server.get("/v1/operator/autopilot/health")
        if not (health["Healthy"] and len(health["Servers"]) == 3 and all(each["Voter"] for each in health["Servers"])):
            raise AssertionError("not whole")
        return next(each["Address"].split(":")[0] for each in health["Servers"] if each["Leader"])

    @staticmethod
    def write(change):
        """As often as it takes: there may be no leader."""
        def written():
            try:
                change()
            except ConsulError:
                return False
            return True

        eventually(written, 30, "a leader takes a change", interval=0.02)
