"""A real Envoy, and what it says about itself."""

import json
import os
from pathlib import Path

from .processes import ROOT, Process, eventually, free_port, http_get


def binary():
    """`ENVOY_BIN`, or the one that Scripts/setup puts into the project."""
    if "ENVOY_BIN" in os.environ:
        return Path(os.environ["ENVOY_BIN"])
    found = sorted((ROOT / ".tools/envoy").glob("lib/python*/site-packages/envoy/_bin/envoy"))
    if not found:
        raise SystemExit("There is no Envoy in .tools/envoy: run Scripts/setup")
    return found[0]


class Envoy(Process):
    """Started from a bootstrap text; its admin port must be the one in that text."""

    def __init__(self, scratch, bootstrap, admin_port, name="envoy", arguments=(), hot_restart=False, executable=None):
        self.admin_port = admin_port
        file = Path(scratch) / f"{name}.yaml"
        file.write_text(bootstrap)
        super().__init__(name, [
            executable or binary(), "--config-path", file, "--concurrency", "1", "--log-level", "warning",
            *([] if hot_restart else ["--disable-hot-restart"]), *arguments,
        ], scratch)

    @classmethod
    def of(cls, signalbox, scratch, *flags, node="edge-1", name="envoy", admin_port=None, xds=None, more=None,
           **options):
        """An Envoy that `signalbox bootstrap` pointed at this server, or at what stands before it at `xds`, with `more`
        at the top of its bootstrap."""
        admin_port = admin_port or free_port()
        bootstrap = signalbox.bootstrap("-o", "json", *flags, node=node, admin_port=admin_port, xds=xds)
        return cls(scratch, json.dumps(json.loads(bootstrap) | (more or {})), admin_port, name, **options)

    def url(self, path):
        return f"http://127.0.0.1:{self.admin_port}{path}"

    def get(self, path):
        return http_get(self.url(path))

    def stats(self, prefix=""):
        """name -> number (or text) for the stats that begin with `prefix`."""
        pairs = (line.split(": ", 1) for line in self.get(f"/stats?filter=^{prefix}")[1].splitlines() if ": " in line)
        return {name: int(value) if value.isdigit() else value for name, value in pairs}

    def wait_route(self, port, host, path="/", status=200, timeout=10.0):
        """Until a request through the listener is answered with this status."""
        from .traffic import once

        eventually(lambda: once(port, host, path).status == status, timeout, f"{host}{path} answers {status}")
