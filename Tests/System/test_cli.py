"""The command line as scripts and editors use it."""

import json
import signal
import subprocess
import time

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
