"""Somebody who minds: a real Envoy that is sent one edit after another while something else goes on, and the server's
memory meanwhile."""

import threading
import time
from pathlib import Path

from .case import SystemTest
from .documents import gateway, route, service, together
from .http2 import Connection
from .traffic import once

SERVICES = 300
CONVERGES = 2.0  # seconds until an edit is answered for
GROWTH = 200  # megabytes


class Bystander:
    """While it is entered, edits of `web` follow each other, each when Envoy answers by the one before. `worst` is how
    long the slowest of them took, `growth` what the server's memory grew by at its peak, in MB."""

    def __init__(self, documents, port, server):
        self.documents, self.port, self.server = documents, port, server
        self.edits, self.worst, self.growth, self.failed = 0, 0.0, 0.0, None

    def __enter__(self):
        self.ended = threading.Event()
        self.before = self.server.resident_megabytes()
        Path(f"/proc/{self.server.child.pid}/clear_refs").write_text("5")  # the peak is counted from here
        self.edits, self.worst, self.failed = 0, 0.0, None
        self.thread = threading.Thread(target=self._edit, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        # At least one edit begins and arrives while the other thing goes on.
        self.ended.set()
        self.thread.join(60)
        if self.server.running:
            self.growth = peak_megabytes(self.server) - self.before

    def _edit(self):
        try:
            while not self.edits or not self.ended.is_set():
                self.worst = max(self.worst, self.edit())
                self.edits += 1
                self.ended.wait(0.05)
        except Exception as error:
            self.failed = error

    def edit(self, timeout=20.0):
        """Seconds from the edit of a file to the first answer that follows it."""
        number = time.monotonic_ns()
        began = self.documents.write("web.yaml", route("web", edit=number))
        while once(self.port, "web.example.com").header("x-edit") != str(number):
            if time.monotonic() - began > timeout:
                raise AssertionError(f"an edit did not reach Envoy within {timeout} s")
            time.sleep(0.005)
        return time.monotonic() - began


def peak_megabytes(process):
    status = Path(f"/proc/{process.child.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def cpu_seconds(process):
    """User and system time of a process until now."""
    return time.clock_gettime((~process.child.pid << 3) | 2)  # see clock_getcpuclockid(3)


class BesideOthers(SystemTest):
    """A server of 300 services, a real Envoy that holds them, and an eye on both."""

    flags = ()

    def setUp(self):
        super().setUp()
        web = self.upstream("web")
        names = [f"service-{number:03}" for number in range(SERVICES - 1)]
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("services.yaml", together(*(service(name, web) for name in ["web", *names])))
        self.documents.write("routes.yaml", together(*(route(name) for name in names)))
        self.documents.write("web.yaml", route("web", edit=0))
        self.server = self.signalbox(*self.flags)
        self.proxy = self.envoy(self.server)
        self.proxy.wait_route(self.port, "web.example.com")
        self.server.wait_settled("edge-1")
        self.bystander = Bystander(self.documents, self.port, self.server)
        self.worst, self.growth = 0.0, 0.0  # of all that was watched

    def tearDown(self):
        Connection.close_all()
        super().tearDown()

    def beside(self, action, growth=GROWTH, converges=CONVERGES):
        """Does this while Envoy is sent edits; its result. Nobody else notices, and memory stays bounded."""
        try:
            with self.bystander as bystander:
                result = action()
        finally:
            self.assertTrue(self.server.running, f"the server lives\n{self.server.log_tail(5)}")
        self.worst, self.growth = max(self.worst, bystander.worst), max(self.growth, bystander.growth)
        self.assertIsNone(bystander.failed, "the edits of the others")
        self.assertLess(bystander.worst, converges, f"seconds: the slowest of {bystander.edits} edits")
        self.assertLess(bystander.growth, growth, "megabytes of growth at the peak")
        return result

    def note_worst(self, what):
        self.note(f"{what}; Envoy's slowest edit {self.worst * 1000:.0f} ms; +{self.growth:.0f} MB at the peak")
