"""The base of tests with a real Consul: a gateway, and how long a change takes until requests are answered by it."""

import time

from . import documents as text
from .case import SystemTest
from .consul import Consul
from .probe import percentile
from .processes import eventually

LOOPBACK = ["--catalog-allow-addresses", "127.0.0.0/8"]
BETWEEN = 0.1  # seconds: what comes faster is a storm, and pushes are slowed down
STAYS = 12  # answers in a row that an instance which is gone does not give


class ConsulTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.took = {}
        self.documents.write("edge.yaml", text.gateway(self.port))

    def consul(self, start=True, **options):
        process = Consul(self.scratch, **options)
        self.processes.append(process)
        return process.start() if start else process

    def following(self, consul, *flags, allow=LOOPBACK, **options):
        return self.signalbox(
            "--consul", "--consul-address", consul.url, *allow, *flags, environment=consul.trust, **options)

    def measure(self, kind, probe, change, good, in_a_row=1):
        """Keeps the milliseconds from after `change` to the first good answer."""
        time.sleep(BETWEEN)
        change()
        self.took.setdefault(kind, []).append(probe.until(good, in_a_row) * 1000)

    def assert_took(self, within):
        for kind, took in self.took.items():
            self.note(f"{kind} p50 {percentile(took, .5):.0f} p99 {percentile(took, .99):.0f} ms")
        for kind, took in self.took.items():
            self.assertLessEqual(percentile(took, .99), within, kind)

    @staticmethod
    def findings(server, code, *words):
        """The findings whose code begins so, and in which all the words are."""
        return [
            each for each in server.diagnostics()
            if each["code"].startswith(code) and all(word in str(each) for word in words)
        ]

    def reported(self, server, code, *words, timeout=5.0):
        return eventually(lambda: self.findings(server, code, *words), timeout, f"{code} with {words} in /state")

    def cured(self, server, code, *words, timeout=5.0):
        eventually(lambda: not self.findings(server, code, *words), timeout, f"no {code} with {words} in /state")

    @staticmethod
    def source(server, name="consul"):
        return next(each for each in server.state()["sources"] if each["name"] == name)


def answers(upstream):
    return lambda status, body: (status, body) == (200, upstream.name)


def never(*upstreams):
    names = {each.name for each in upstreams}
    return lambda status, body: status == 200 and body not in names


def is_status(wanted):
    return lambda status, _: status == wanted
