"""What the tests talk to: the stand-in, and a real agent where there is one."""

import json
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import nomad
import nomadpy

from rig.nomad_server import NomadServer
from rig.processes import Process, eventually, free_port

ADDRESS = "127.0.0.84"
current = None


def kinds():
    return [StandIn] + [Real] * (shutil.which("nomad") is not None)


def using(kind, result):
    global current
    current = kind
    return result


class StandIn:
    """A server for each test."""

    def __init__(self, **options):
        self.server = NomadServer(ADDRESS, free_port(), **options)
        self.server.heartbeat = 0.3
        self.url, self.cluster = self.server.start().url, self.server.cluster

    def run(self, job, count=1, **options):
        places = [("127.0.0.1", 20_000 + number) for number in range(count)]
        return self.cluster.run(job, places, options.pop("services", [job]), **options)

    def stop(self, allocation):
        self.cluster.stop(allocation, deregister_after=0.02, shutdown_delay=0.02)

    def close(self):
        self.server.stop()


class Real:
    """`nomad agent -dev`, whose jobs sleep."""

    server = None

    def __init__(self, **_):
        self.scratch, port = tempfile.mkdtemp(prefix="nomad-"), free_port()
        settings = Path(self.scratch, "agent.hcl")
        settings.write_text(f'ports {{ http = {port} rpc = {free_port()} serf = {free_port()} }}\n'
                            'plugin "raw_exec" { config { enabled = true } }\n')
        command = [shutil.which("nomad"), "agent", "-dev", "-bind", ADDRESS, "-config", settings]
        self.process, self.url = Process("nomad", command, self.scratch).start(), f"http://{ADDRESS}:{port}"
        api = nomadpy.Client(nomadpy.Config(address=self.url))
        eventually(lambda: [node for node in api.nodes.list()[0] if node.status == "ready"], 60)

    def run(self, job, count=1, services=None, canaries=0, **_):
        group = {
            "Name": "web", "Count": count, "Networks": [{"DynamicPorts": [{"Label": "http"}]}],
            "Update": {"Canary": canaries, "MinHealthyTime": 10**8, "HealthCheck": "task_states"},
            "Services": [{"Name": name, "Provider": "nomad", "PortLabel": "http"} for name in services or [job]],
            "Tasks": [{"Name": "server", "Driver": "raw_exec", "Config": {"command": "sleep", "args": ["1000"]}}],
        }
        body = {"Job": {"ID": job, "Name": job, "Type": "service", "Datacenters": ["*"], "TaskGroups": [group]}}
        before = {each["ID"] for each in self._allocations(job)}
        request = urllib.request.Request(f"{self.url}/v1/jobs", json.dumps(body).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()
        return eventually(lambda: [
            each["ID"] for each in self._allocations(job)
            if each["ID"] not in before and each["ClientStatus"] == "running"][:count], 60)

    def _allocations(self, job):
        with urllib.request.urlopen(f"{self.url}/v1/job/{job}/allocations", timeout=10) as answer:
            return json.load(answer)

    def stop(self, allocation):
        request = urllib.request.Request(f"{self.url}/v1/allocation/{allocation}/stop", method="PUT")
        urllib.request.urlopen(request, timeout=10).close()

    def close(self):
        self.process.stop()
        subprocess.run(["rm", "-rf", self.scratch], check=False)


class NomadTest(unittest.TestCase):
    """A target, and both clients of it."""

    options = {}

    def setUp(self):
        self.target = current(**self.options)
        self.addCleanup(self.target.close)
        self.server, self.url = self.target.server, self.target.url
        self.go = self.client()  # after the Go package
        self.python = nomad.Nomad(address=self.url, timeout=10)
        self.notes = []

    def client(self, token="", **options):
        return nomadpy.Client(nomadpy.Config(address=self.url, secret_id=token, **options))

    def get(self, path, headers=None, method="GET"):
        """(status, headers, body as text) without any client."""
        request = urllib.request.Request(self.url + path, headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def query(self, **options):
        if "wait_time" in options:
            options["wait_time"] = timedelta(seconds=options["wait_time"])
        return nomadpy.QueryOptions(**options)
