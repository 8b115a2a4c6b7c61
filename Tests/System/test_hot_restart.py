"""Envoy replaces itself while configuration changes."""

import random
import threading

from rig.case import SystemTest, sized
from rig.documents import route
from rig.envoy import Envoy
from rig.processes import eventually, free_port
from rig.traffic import Load

RESTARTS, DRAIN, PARENT = sized(20, 3), 1, 2  # seconds


class HotRestart(SystemTest):
    """B15: 20 [3] hot restarts of Envoy during churn: no request fails."""

    def restarted_over(self, *flags, times=RESTARTS):
        self.canary(50, 50)
        server = self.signalbox()
        admin, base = free_port(), random.randrange(1, 2**20)
        self.churned, ended = 0, threading.Event()

        def churn():
            while not ended.wait(0.1):
                self.churned += 1
                self.documents.write("web.yaml", route("web", {"stable": 50, "canary": 50}, edit=self.churned))

        def start(epoch):
            options = ["--base-id", base, "--restart-epoch", epoch, "--drain-time-s", DRAIN,
                       "--parent-shutdown-time-s", PARENT]
            process = Envoy.of(server, self.scratch, *flags, name=f"envoy-{epoch}", admin_port=admin,
                               arguments=options, hot_restart=True)
            self.processes.append(process.start())
            return process

        parent = start(0)
        parent.wait_route(self.port, "web.example.com")
        churning = threading.Thread(target=churn, daemon=True)
        churning.start()
        try:
            with Load(self.port, "web.example.com", rate=200) as load:
                for epoch in range(1, times + 1):
                    child = start(epoch)
                    eventually(lambda: not parent.running, 30, f"epoch {epoch} took over")
                    self.assertTrue(child.running, f"epoch {epoch}")
                    last = self.churned
                    eventually(lambda: int(load.responses[-1].header("x-edit")) > last, 5, f"edits in epoch {epoch}")
                    parent = child
        finally:
            ended.set()
            churning.join()
        self.assert_none_failed(load, 200 * times)
        self.note(f"{times} restarts, {self.churned} edits, {len(load.responses):,} requests")
        self.assertEqual(server.state()["rejections"], [])
        eventually(lambda: len(server.streams("edge-1")) == 1, 15, "the old processes' streams are gone")

    def test_over_delta(self):
        self.restarted_over()

    def test_over_SotW(self):
        self.restarted_over("--sotw", times=sized(20, 1))
