"""Signalbox as an operator sees it: its command line, its admin listener, its exit."""

import json
import os
import re
import subprocess
from pathlib import Path

from .processes import ROOT, Process, eventually, free_port, http_get

BINARY = Path(os.environ.get("SIGNALBOX_BIN", ROOT / ".build/debug/signalbox"))


def command(*arguments, environment=None):
    """Runs one subcommand to its end: a CompletedProcess with text output. Never raises for an exit code."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SIGNALBOX_")}
    return subprocess.run(
        [BINARY, *map(str, arguments)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, env=clean | (environment or {}),
    )


class Signalbox(Process):
    """`signalbox serve` on a documents directory, with ports that survive a restart."""

    def __init__(self, scratch, documents, *flags, xds=None, admin_port=None, name="signalbox", environment=None):
        self.documents = documents
        self.xds = xds or f"127.0.0.1:{free_port()}"
        self.admin_port = admin_port or free_port()
        super().__init__(name, [
            BINARY, "serve", "--documents", documents, "--xds-listen", self.xds,
            "--admin-listen", f"127.0.0.1:{self.admin_port}", *flags,
        ], scratch, environment)

    def url(self, path):
        return f"http://127.0.0.1:{self.admin_port}{path}"

    def get(self, path):
        return http_get(self.url(path))

    def start(self, ready=True):
        super().start()
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=15):
        def answer():
            if not self.running:
                raise SystemExit(f"signalbox exited with {self.child.returncode} at once: {self.log}")
            return self.get("/ready")[0] == 200

        eventually(answer, timeout, "/ready is 200")

    def state(self):
        return json.loads(self.get("/state")[1])

    def diagnostics(self):
        return self.state()["diagnostics"]

    def streams(self, node=None):
        return [stream for stream in self.state()["streams"] if node in (None, stream.get("node", {}).get("id"))]

    def settled(self, node):
        """Whether this node is connected, holds all that it is wanted to hold, and nothing is on its way."""
        types = [kind for stream in self.streams(node) for kind in stream["types"].values()]
        return bool(types) and all(
            kind["wanted"] == kind["acknowledged"] and kind.get("inFlight") is None for kind in types
        )

    def wait_settled(self, node, timeout=15.0):
        eventually(lambda: self.settled(node), timeout, f"{node} acknowledged everything")

    def metric(self, name, **labels):
        """The sum of a metric's samples that carry these labels."""
        samples = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        return sum(float(value) for found, value in samples if wanted <= set(found.split(",")))

    def bootstrap(self, *flags, node="edge-1", cluster="edge", admin_port=9901, xds=None):
        """What `signalbox bootstrap` prints for an Envoy of this server, or of what stands before it at `xds`."""
        done = command(
            "bootstrap", "--node-id", node, "--node-cluster", cluster, "--xds-address", xds or self.xds,
            "--admin-address", f"127.0.0.1:{admin_port}", *flags,
        )
        if done.returncode:
            raise AssertionError(f"signalbox bootstrap: exit {done.returncode}\n{done.stderr}")
        return done.stdout
