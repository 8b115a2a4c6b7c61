"""The command line as scripts and editors use it."""

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import jsonschema
import yaml
from rig import envoy, signalbox
from rig.case import SystemTest
from rig.documents import gateway, route, service
from rig.processes import ROOT, eventually, free_port, http_get

SAMPLES = ROOT / "Examples/demo/documents"


class CommandLine(SystemTest):
    def run_json(self, *arguments, code=0):
        done = signalbox.command(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def test_lint_exit_codes_and_formats(self):
        self.documents.write("good.yaml", gateway(10000))
        good, bad = self.documents.root / "good.yaml", self.documents.root / "bad.yaml"
        self.assertEqual(signalbox.command("lint", SAMPLES).returncode, 0)
        self.assertEqual(self.run_json("lint", good, "-o", "json")["success"], True)

        bad.write_text(route("web"))  # of a service and a gateway that are not there
        text = signalbox.command("lint", bad)
        self.assertEqual(text.returncode, 79)
        self.assertRegex(text.stdout + text.stderr, r"bad\.yaml:\d+: error\[SB\d{3}\]")
        report = self.run_json("lint", self.documents, "-o", "json", code=79)
        self.assertEqual((report["apiVersion"], report["success"]), ("signalbox/v1", False))
        for each in report["diagnostics"]:
            self.assertLessEqual({"severity", "code", "message", "cure", "file", "line"}, each.keys())
        self.assertEqual({each["subject"] for each in report["diagnostics"]}, {"route/web"})

        self.assertEqual(signalbox.command("lint", "--no-such-flag").returncode, 64)
        self.assertEqual(signalbox.command("lint", self.scratch / "nowhere").returncode, 65)

    def test_lint_of_what_is_elsewhere(self):
        alone = self.documents.root / "alone.yaml"
        alone.write_text(route("web"))
        both = ("--external-services", "--external-gateways")

        def codes(*flags, code):
            report = self.run_json("lint", alone, *flags, "-o", "json", code=code)
            return {each["code"] for each in report["diagnostics"]}

        self.assertEqual(codes(code=79), {"SB201", "SB203"})
        self.assertEqual(codes("--external-services", code=79), {"SB201"})
        self.assertEqual(codes("--external-gateways", code=79), {"SB203"})
        self.assertEqual(codes(*both, code=0), set())
        self.assertIn("1 documents are good, 0 errors, 0 warnings", signalbox.command("lint", alone, *both).stderr)
        alone.write_text(route("web") + "colour: blue\n")
        self.assertEqual(codes(*both, code=79), {"SB104"})

    def test_settings_that_cannot_be_used(self):
        """Each ends the start with code 78 and one sentence that names the setting, and what is wrong."""
        self.documents.write("edge.yaml", gateway(self.port))
        file = self.scratch / "settings.yaml"

        def refused(words, *flags, settings=None, code=78, **variables):
            if settings is not None:
                file.write_text(settings)
                flags += ("--settings", file)
            done = signalbox.command(
                "serve", "--documents", self.documents, "--xds-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                *flags, environment=variables)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(words, done.stderr)
            self.assertNotIn("hunter2", done.stderr)
            if code == 78:
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

        refused(':2: consul.services is "web", and a list', settings="consul:\n  services: web\n  enabled: true\n")
        refused(':1: there is no setting "consul"; "consul.enabled" may be meant', settings="consul: true\n")
        refused(":1: tags.prefix is empty", settings='tags: {prefix: ""}\n')
        refused(":2: no YAML: ", settings="consul: [\n")
        refused("consul.token", settings="consul: {enabled: true, token: [hunter2]}\n")
        refused("there is no such file", "--settings", "/nonexistent.yaml")
        refused("--consul-address has no effect", "--consul-address", "127.0.0.1:8500")
        refused("--consul-health has no effect", "--consul-health", "passing")
        refused("SIGNALBOX_NOMAD_ADDRESS has no effect", SIGNALBOX_NOMAD_ADDRESS="http://127.0.0.1:4646")
        refused(f"nomad.address in {file}:1 has no effect", settings="nomad: {address: 'http://127.0.0.1:4646'}\n")
        refused('SIGNALBOX_CONSUL is "maybe", and true or false', SIGNALBOX_CONSUL="maybe")
        refused('SIGNALBOX_XDS_MAX_STREAMS_PER_NODE is "x"', SIGNALBOX_XDS_MAX_STREAMS_PER_NODE="x")
        refused('"we*b" has a * that is not at its end', "--consul", "--consul-services", "web,we*b")
        refused("names a datacenter twice", SIGNALBOX_CONSUL="1", SIGNALBOX_CONSUL_DATACENTERS="dc1,dc1")
        refused("--consul-tagged-address is empty", "--consul", "--consul-tagged-address", "")
        refused("--tags-prefix is empty", "--tags-prefix", "")
        refused("catalog.removal.percent is 0 to 100, not -1", "--catalog-removal-percent", "-1")
        refused("invalid for '--catalog-removal-percent", "--catalog-removal-percent", "x", code=64)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            words = f"127.0.0.1:{port}: another program listens there"
            refused(words, "--xds-listen", f"127.0.0.1:{port}", code=1)
            refused(words, "--admin-listen", f"127.0.0.1:{port}", code=1)

    def test_variables_that_are_settings_and_those_that_are_none(self):
        self.documents.write("edge.yaml", gateway(self.port))
        process = self.signalbox(start=False)
        consul = free_port()
        process.environment |= {
            "SIGNALBOX_CONSUL": "true", "SIGNALBOX_CONSUL_ADDRESS": f"127.0.0.1:{consul}", "SIGNALBOX_NOMAD": "",
            "SIGNALBOX_LOG_LEVL": "debug", "SIGNALBOX_FUZZ_SEED": "1",
        }
        process.start(ready=False)
        eventually(lambda: "consul" in process.log.read_text(), 10, "consul")
        self.assertEqual(process.stop(), 0)
        log = process.log.read_text()
        self.assertIn("SIGNALBOX_LOG_LEVL (SIGNALBOX_LOG_LEVEL?)", log)
        self.assertEqual(log.count("looks like a setting"), 1)

    def test_catalog_commands_say_what_is_wrong(self):
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        process = self.signalbox()
        at = f"127.0.0.1:{process.admin_port}"
        for admin in (at, f"http://{at}", f"http://{at}/"):
            report = self.run_json("catalog", "status", "--admin", admin, "-o", "json")
            self.assertEqual((report["ready"], report["diagnosticCounts"]), (True, {"error": 0, "warning": 0, "note": 0}))
            self.assertEqual(
                report["sources"], [{"name": "file", "state": "up", "services": 1, "instances": 1, "routableInstances": 1}])
        text = signalbox.command("catalog", "status", "--admin", at).stdout
        self.assertEqual(text.splitlines()[:2], ["ready", "file: up, 1 service, 1 instance"])
        self.assertEqual(signalbox.command("catalog", "accept", "--source", "bogus").returncode, 64)

        def answer(method, path):
            request = urllib.request.Request(process.url(path), method=method)
            try:
                with urllib.request.urlopen(request, timeout=5) as response:
                    return response.status, response.headers, response.read()
            except urllib.error.HTTPError as error:
                return error.code, error.headers, error.read()

        for path in ("/live", "/ready", "/metrics", "/state"):
            with self.subTest(f"HEAD and others of {path}"):
                status, headers, body = answer("HEAD", path)
                self.assertEqual((status, body), (200, b""))
                self.assertEqual(headers["content-type"], answer("GET", path)[1]["content-type"])
                self.assertGreater(int(headers["content-length"]), 4)
                self.assertEqual(headers["cache-control"], "no-store")
                for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
                    status, headers, _ = answer(method, path)
                    self.assertEqual((status, headers["allow"]), (405, "GET, HEAD"), method)

        for method, path, expected in [
            ("POST", "/catalog/accept", 200), ("POST", "/catalog/accept?source=file", 200),
            ("POST", "/catalog/accept?source=consul", 400),
            ("POST", "/catalog/accept?sauce=consul", 400), ("POST", "/catalog/accept?source=bogus", 400),
            ("POST", "/catalog/accept?source=consul&source=nomad", 400), ("GET", "/catalog/accept", 405),
            ("POST", "/accept-removals?x=1", 400), ("GET", "/reload", 405), ("POST", "/reload", 202),
            ("HEAD", "/reload", 405), ("PUT", "/accept-removals", 405), ("POST", "/nowhere", 404),
        ]:
            with self.subTest(f"{method} {path}"):
                status, headers, _ = answer(method, path)
                self.assertEqual((status, headers["allow"]), (expected, "POST" if expected == 405 else None))
        none = signalbox.command("catalog", "accept", "--admin", at, "--source", "file")
        self.assertEqual((none.returncode, none.stdout), (0, "nothing is held of file\n"))
        none = signalbox.command("catalog", "accept", "--admin", at, "--source", "consul")
        self.assertEqual(none.returncode, 1)
        self.assertIn("consul is not followed, so nothing is held of it (consul.enabled is not set)", none.stderr)
        self.assertEqual(process.stop(), 0)
        gone = signalbox.command("catalog", "status", "--admin", at)
        self.assertEqual(gone.returncode, 69)
        self.assertIn("nobody listens there; is `signalbox serve` running", gone.stderr)

    def test_the_variable_of_the_admin_listener(self):
        def status(value, *flags):
            return signalbox.command("catalog", "status", *flags, environment={"SIGNALBOX_ADMIN_LISTEN": value})

        nobody = f"127.0.0.1:{free_port()}"
        self.assertIn(f"no server answers at {nobody}", status(nobody).stderr)
        self.assertIn(f"no server answers at {nobody}", status("odd", "--admin", nobody).stderr)
        odd = status("odd")
        self.assertEqual(odd.returncode, 64)
        self.assertIn("SIGNALBOX_ADMIN_LISTEN: 'odd' is neither", odd.stderr)
        self.assertIn("--admin: '' is neither", status(nobody, "--admin", "").stderr)
        self.assertNotEqual(status("").returncode, 64)  # as if there were none: the default

    def test_catalog_status_says_what_is_wrong(self):
        process = self.signalbox(ready=False)
        at = f"127.0.0.1:{process.admin_port}"

        def text():
            return signalbox.command("catalog", "status", "--admin", at).stdout.splitlines()

        eventually(lambda: process.get("/live")[0] == 200, 10, "/live")
        lines = eventually(lambda: (lines := text()) and "no gateway" in lines[0] and lines, 5, "the documents are read")
        self.assertEqual(lines[0], process.get("/ready")[1].strip())
        self.assertEqual(process.state()["blockers"], [lines[0].removeprefix("not ready: ")])

        self.documents.write("edge.yaml", gateway(self.port))
        process.wait_ready()
        self.assertEqual(process.state()["blockers"], [])
        self.documents.write("web.yaml", route("web"))
        eventually(lambda: len(process.diagnostics()) == 1, 5, "a route to nowhere")
        [found] = process.diagnostics()
        self.assertEqual(text()[-2:], [
            "1 error, 0 warnings",
            f"web.yaml:{found['line']}: error[SB203] route/web: {found['message']} ({found['cure']})",
        ])
        for number in range(22):
            self.documents.write(f"web{number}.yaml", route(f"web{number}"))
        eventually(lambda: len(process.diagnostics()) == 23, 5, "more of them")
        lines = text()
        self.assertEqual(lines[-22], "23 errors, 0 warnings")
        self.assertEqual(lines[-1], "and 3 more errors: GET /state has them all")
        self.assertEqual(len(self.run_json("catalog", "status", "--admin", at, "-o", "json")["errors"]), 23)

    def test_schema_tells_good_documents_from_bad(self):
        schema = self.run_json("schema")
        validator = jsonschema.validators.validator_for(schema)
        validator.check_schema(schema)
        valid = validator(schema).is_valid
        samples = [each for file in SAMPLES.glob("*.yaml") for each in yaml.safe_load_all(file.read_text())]
        self.assertGreaterEqual(len(samples), 6)
        for document in samples:
            self.assertTrue(valid(document), document)
        for document in [
            {"kind": "gatevay", "name": "edge"},
            {"kind": "service", "name": "web", "instances": [{"address": "127.0.0.1", "port": 65536}]},
            {"kind": "service", "name": "web", "instances": [{"address": "127.0.0.1"}]},
            {"kind": "service", "name": "web", "instances": [], "colour": "blue"},
            {"kind": "route", "name": "web", "gateways": ["edge"], "rules": "all"},
            {"kind": "service-defaults", "name": "web", "protocol": "smtp"},
        ]:
            self.assertFalse(valid(document), document)

    def test_translate_prints_what_envoy_would_get(self):
        resources = self.run_json("translate", SAMPLES, "-o", "json")["resources"]
        self.assertLessEqual({"clusters", "endpoints", "listeners", "routes"}, resources.keys())
        self.assertEqual([each["name"] for each in resources["listeners"]], ["edge/http"])
        self.assertIn("web?tag=canary", [each["name"] for each in resources["clusters"]])
        printed = yaml.safe_load(signalbox.command("translate", SAMPLES, "-o", "yaml").stdout)
        self.assertEqual(printed["resources"], resources)

    def test_version(self):
        version = self.run_json("version", "-o", "json")["version"]
        self.assertIn(version, signalbox.command("version").stdout)

    def test_every_bootstrap_is_one_that_envoy_accepts(self):
        common = ("--node-id", "edge-1", "--node-cluster", "edge", "--region", "r", "--zone", "z", "--sub-zone", "s",
                  "--metadata", "role=edge")
        for number, flags in enumerate([(), ("--sotw",), ("--per-type",), ("--per-type", "--sotw"), ("-o", "json"),
                                        ("--xds-address", "unix:/tmp/signalbox.sock")]):
            with self.subTest(flags):
                done = signalbox.command("bootstrap", *common, *flags)
                self.assertEqual(done.returncode, 0, done.stderr)
                node = yaml.safe_load(done.stdout)["node"]
                self.assertEqual((node["id"], node["cluster"], node["metadata"]), ("edge-1", "edge", {"role": "edge"}))
                self.assertEqual(set(node["locality"].values()), {"r", "z", "s"})
                file = self.scratch / f"{number}.yaml"
                file.write_text(done.stdout)
                command = [envoy.binary(), "--mode", "validate", "-c", file]
                checked = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(self):
        self.documents.write("edge.yaml", gateway(self.port))
        file, environment, flag = free_port(), free_port(), free_port()
        settings = self.scratch / "settings.yaml"
        settings.write_text(f"admin:\n  listen: 127.0.0.1:{file}\n")
        process = self.signalbox(start=False)
        at = process.command.index("--admin-listen")
        process.command[at:at + 2] = ["--settings", str(settings)]
        for port, more_environment, more_flags in [
            (file, {}, []),
            (environment, {"SIGNALBOX_ADMIN_LISTEN": f"127.0.0.1:{environment}"}, []),
            (flag, {"SIGNALBOX_ADMIN_LISTEN": f"127.0.0.1:{environment}"}, ["--admin-listen", f"127.0.0.1:{flag}"]),
        ]:
            process.environment |= more_environment
            process.command += more_flags
            process.start(ready=False)
            eventually(lambda: http_get(f"http://127.0.0.1:{port}/live")[0] == 200, 10, f"admin on {port}")
            self.assertEqual(process.stop(), 0)

    def test_JSON_logs_are_JSON(self):
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        process = self.signalbox("--log-format", "json", "--log-level", "debug")
        process.signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertEqual(process.stop(), 0)
        lines = [json.loads(line) for line in process.log.read_text().splitlines()]
        self.assertTrue(lines)
        for line in lines:
            self.assertLessEqual({"level", "message"}, line.keys())

    def test_the_log_has_the_words_of_state(self):
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", service("web", self.upstream("web")))
        consul = ("--consul", "--consul-address", f"127.0.0.1:{free_port()}")
        process = self.signalbox("--log-format", "json", *consul, ready=False)

        def lines():
            return [json.loads(line) for line in process.log.read_text().splitlines()]

        [down] = eventually(lambda: [each for each in lines() if each["message"] == "source is down"], 10, "Consul")
        source = next(each for each in process.state()["sources"] if each["name"] == "consul")
        self.assertEqual((down["source"], down["reason"]), (source["name"], source["reason"]))
        self.assertEqual(down["problem"], source["problem"])
        self.assertNotIn("error", down)

        self.documents.write("nowhere.yaml", route("nowhere") + "colour: blue\n")
        [found] = eventually(process.diagnostics, 5, "a diagnostic")
        [line] = eventually(lambda: [each for each in lines() if "code" in each], 15, "it is logged")
        for key in ("message", "code", "subject", "cure", "file"):
            self.assertEqual(line[key], found[key], key)
        self.assertEqual((line["level"], int(line["line"])), (found["severity"], found["line"]))
        self.assertFalse({"error", "origin"} & line.keys())
        self.documents.write("nowhere.yaml", "")
        [cured] = eventually(lambda: [each for each in lines() if "cured" in each["message"]], 5, "its cure")
        self.assertEqual({key: cured[key] for key in ("code", "subject", "file", "line")},
                         {key: line[key] for key in ("code", "subject", "file", "line")})
