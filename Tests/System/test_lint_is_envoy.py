"""What Signalbox accepts, Envoy accepts: odd documents of which lint finds nothing wrong, in front of a real Envoy.

SIGNALBOX_ODD=5000 tries that many; SIGNALBOX_ODD=@17 tries number 17 alone.
"""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import jsonschema
from rig import envoy, odd, signalbox
from rig.case import SystemTest
from rig.documents import gateway, route, service
from rig.traffic import once

WANTED = os.environ.get("SIGNALBOX_ODD", "150")
SEEDS = [int(WANTED[1:])] if WANTED.startswith("@") else range(int(WANTED))


def static(resources):
    """What Signalbox would send over xDS, as an Envoy configuration that needs no server."""
    endpoints = {each["clusterName"]: each for each in resources["endpoints"]}
    routes = {each["name"]: each for each in resources["routes"]}
    clusters, listeners = [], []
    for cluster in resources["clusters"]:
        del cluster["edsClusterConfig"]
        clusters.append(cluster | {"type": "STATIC", "loadAssignment": endpoints[cluster["name"]]})
    for listener in resources["listeners"]:
        if "apiListener" in listener:
            continue  # for gRPC clients, and no Envoy is sent one
        manager = listener["filterChains"][0]["filters"][0]["typedConfig"]
        routing = routes[manager.pop("rds")["routeConfigName"]]
        if routing.pop("vhds", None):
            # What Envoy would ask for one by one, and not only these: all of them together have to be good, too.
            hosts = [host for host in resources["virtualHosts"] if host["name"].startswith(routing["name"] + "/")]
            routing["virtualHosts"] = hosts
        for each in manager["httpFilters"]:
            each["typedConfig"].pop("odcds", None)  # needs a server
        manager["routeConfig"] = routing
        listeners.append(listener)
    return {"static_resources": {"clusters": clusters, "listeners": listeners}}


class LintIsEnvoy(SystemTest):
    def test_what_lint_accepts_Envoy_accepts(self):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            outcomes = list(pool.map(self.outcome, SEEDS))
        flawless = sum(lint.returncode == 0 for lint, _ in outcomes)
        self.note(f"{len(outcomes)} sets of documents, {flawless} of them flawless")
        refused = [f"SIGNALBOX_ODD=@{seed}: {said}" for seed, (_, said) in zip(SEEDS, outcomes, strict=True) if said]
        self.assertFalse(refused, f"{len(refused)} refused:\n" + "\n".join(refused[:5]))
        if len(outcomes) >= 100:
            self.assertGreater(flawless, len(outcomes) / 3, "documents that are all refused prove nothing")

    def outcome(self, seed):
        """What lint found, and why Envoy does not take what the documents become."""
        folder = self.scratch / str(seed)
        folder.mkdir()
        documents, configuration = folder / "documents.yaml", folder / "envoy.json"
        documents.write_text(odd.documents(seed))
        lint = signalbox.command("lint", documents, "-o", "json")
        # A document that lint refuses is left out, and the others are served all the same.
        translated = signalbox.command("translate", documents, "-o", "json")
        if lint.returncode not in (0, 79) or translated.returncode:
            return lint, lint.stderr + translated.stderr
        configuration.write_text(json.dumps(static(json.loads(translated.stdout)["resources"])))
        command = [envoy.binary(), "--mode", "validate", "--log-level", "error", "-c", configuration]
        checked = subprocess.run(command, capture_output=True, text=True)
        # The whole resource is in the middle of it.
        return lint, f"{checked.stderr[:300]} ... {checked.stderr[-500:]}" if checked.returncode else ""

    def test_the_schema_accepts_what_lint_accepts(self):
        schema = json.loads(signalbox.command("schema").stdout)
        validator = jsonschema.validators.validator_for(schema)(schema)
        checked = 0
        for seed in SEEDS[:50]:
            text = odd.documents(seed)
            self.documents.write("odd.yaml", text)
            if signalbox.command("lint", self.documents).returncode == 0:
                for document in text.split("---\n"):
                    faults = [fault.message for fault in validator.iter_errors(json.loads(document))]
                    self.assertEqual(faults, [], f"seed {seed}: {document[:300]}")
                    checked += 1
        self.note(f"{checked} documents")

    def test_a_header_value_arrives_as_it_is_written(self):
        values = ["%", "100%", "%%", "%START_TIME%", "%REQ(:path)%", "%\u0301", "a%2Fb", "\\1"]
        headers = ", ".join(f"{{name: x-{number}, value: '{value}'}}" for number, value in enumerate(values))
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("service.yaml", service("web", self.upstream("web")))
        self.documents.write("route.yaml", route("web") + f"  responseHeaders: {{set: [{headers}]}}\n")
        self.envoy(self.signalbox()).wait_route(self.port, "web.example.com")
        answer = once(self.port, "web.example.com")
        self.assertEqual([answer.header(f"x-{number}") for number in range(len(values))], values)
