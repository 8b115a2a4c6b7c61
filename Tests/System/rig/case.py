"""The base of every system test: a scratch directory, and a name for each thing started, all gone afterwards."""

import os
import shutil
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from . import documents as text
from .documents import Documents
from .envoy import Envoy
from .processes import free_port
from .signalbox import Signalbox
from .traffic import Upstream

SOAK = os.environ.get("SIGNALBOX_SOAK") == "1"


def sized(full, reduced):
    """As much as was promised (SIGNALBOX_SOAK=1), or as much as every run has time for."""
    return full if SOAK else reduced


class SystemTest(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp(prefix=f"signalbox-{self._testMethodName}-"))
        self.documents = Documents(self.scratch / "documents")
        self.port = free_port()  # of the gateway's listener
        self.processes, self.upstreams, self.notes = [], [], []

    def tearDown(self):
        for process in reversed(self.processes):
            process.stop()
        for upstream in self.upstreams:
            upstream.stop()
        # What `_outcome.success` says here is of this method alone.
        told = self._outcome.result
        if not any(test is self for test, _ in told.failures + told.errors):
            shutil.rmtree(self.scratch, ignore_errors=True)
        else:
            self.notes += [process.log_tail() for process in self.processes]

    def note(self, figure):
        """Something measured that belongs on the test's line."""
        self.notes.append(figure)

    def upstream(self, name):
        self.upstreams.append(Upstream(name, free_port()))
        return self.upstreams[-1]

    def signalbox(self, *flags, start=True, ready=True, **options):
        process = Signalbox(self.scratch, options.pop("documents", self.documents), *flags, **options)
        self.processes.append(process)
        return process.start(ready) if start else process

    def tap(self, signalbox):
        """What an Envoy is pointed at with `xds=tap.xds` to keep everything that is said."""
        from .tap import Tap

        tap = Tap(signalbox.xds)
        self.addCleanup(tap.stop)
        return tap

    def envoy(self, signalbox, *flags, **options):
        self.processes.append(Envoy.of(signalbox, self.scratch, *flags, **options))
        return self.processes[-1].start()

    def canary(self, stable=100, canary=0):
        """A gateway, and `web` split between two upstreams named stable and canary; returns those."""
        upstreams = self.upstream("stable"), self.upstream("canary")
        self.documents.write("edge.yaml", text.gateway(self.port))
        self.documents.write("services.yaml", text.service("web", *((each, each.name) for each in upstreams)))
        self.documents.write("web.yaml", text.route("web", {"stable": stable, "canary": canary}))
        return upstreams

    def assert_none_failed(self, load, at_least=1):
        self.assertGreaterEqual(len(load.responses), at_least, "requests sent")
        if load.failures:
            kinds = Counter((each.host, each.status, each.error or each.body) for each in load.failures)
            lines = (f"  {count} times {kind}" for kind, count in kinds.most_common(5))
            first = load.failures[0].sent - load.begin
            summary = f"{len(load.failures)} of {len(load.responses)} requests failed, the first after {first:.2f} s:"
            self.fail("\n".join((summary, *lines)))
