"""`signalbox bench`: the engine of `signalbox serve` with a made-up world, and the many proxies that measure it."""

import json
import subprocess
import urllib.request

from .processes import Process, eventually, free_port
from .signalbox import BINARY, command


class BenchServer(Process):
    """`bench serve` with so many services (service-00000 and so on) of so many endpoints each."""

    def __init__(self, scratch, services, endpoints=1, listener_port=None):
        self.xds, self.admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
        super().__init__("bench-serve", [BINARY, "bench", "serve", "--addr", self.xds, "--admin", self.admin], scratch)
        self.world = world(services, endpoints, listener_port or free_port())

    def start(self):
        super().start()
        eventually(lambda: "ready" in self.log.read_text().split(), 15, "bench serve is ready")
        self._ask("PUT", "/state", json.dumps(self.world).encode())
        return self

    def touch(self, service):
        """Moves an endpoint of a service; published when this returns."""
        self._ask("POST", f"/touch?service={service}")

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://{self.admin}{path}", body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def bootstrap(self, *flags, node="bench-1", admin_port=9901, **_):
        done = command("bootstrap", "--node-id", node, "--node-cluster", "bench", "--xds-address", self.xds,
                       "--admin-address", f"127.0.0.1:{admin_port}", *flags)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout


def name(number):
    return f"service-{number:05}"


def world(services, endpoints, port):
    """The body of PUT /state: as `bench serve --services` makes it, but for the listener's port."""
    def addresses(number):
        for each in range(number * endpoints, (number + 1) * endpoints):
            yield {"address": f"10.{each >> 16 & 255}.{each >> 8 & 255}.{each & 255}", "port": 8080}

    names = [name(number) for number in range(services)]
    hosts = [{"name": each, "domains": [f"{each}.example.com"], "service": each} for each in names]
    return {
        "services": [{"name": each, "endpoints": list(addresses(number))} for number, each in enumerate(names)],
        "listeners": [{"name": "listener", "port": port, "route": "routes"}],
        "routes": [{"name": "routes", "virtual_hosts": hosts}],
    }


class Herd(subprocess.Popen):
    """`bench load`: so many proxies at once. `report()` waits for its end."""

    def __init__(self, xds, admin="127.0.0.1:1", **options):
        flags = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        super().__init__([BINARY, "bench", "load", "--addr", xds, "--admin", admin, *flags, "-o", "json"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def report(self, timeout=300):
        said, complaint = self.communicate(timeout=timeout)
        report = json.loads(said) if said else {}
        if self.returncode or report.get("failure"):
            raise AssertionError(f"bench load: {report.get('failure') or complaint}")
        return report
