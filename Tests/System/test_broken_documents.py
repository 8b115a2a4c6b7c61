"""A document that cannot be used is reported with its place, and takes nothing down: not itself, not the others."""

import re
import shutil
from urllib.request import Request, urlopen

from rig.case import SystemTest
from rig.documents import gateway, route, service, together
from rig.processes import eventually
from rig.signalbox import command
from rig.traffic import Load

RATE = 50


def edited(old, new):
    return lambda text: text.replace(old, new, 1)


def appended(extra):
    return lambda text: together(text, extra)


# what is broken -> (the edit of api.yaml, the rule it breaks, text on the line to be named if only one is right)
BROKEN = {
    "YAML that does not parse": (edited("kind: route", "kind: [route"), "SB101", None),
    "an unknown field": (edited("gateways:", "gatewayz:"), "SB104", "gatewayz:"),
    "a wrong type": (edited("weight: 1", "weight: heavy"), "SB105", "weight: heavy"),
    "a backend that nobody knows": (edited("- service: api", "- service: nobody"), "SB203", "service: nobody"),
    "a name given twice": (appended("kind: service\nname: api\ninstances: []\n"), "SB113", None),
    "a port out of range": (edited("port: ", "port: 9"), "SB107", "port: 9"),
    "a regular expression that Envoy would refuse": (
        edited("- backends:", "- matches:\n  - path: {type: RegularExpression, value: '/(?=x)'}\n  backends:"),
        "SB111",
        "(?=x)",
    ),
}


class BrokenDocuments(SystemTest):
    def setUp(self):
        super().setUp()
        web, api = self.upstream("web"), self.upstream("api")
        self.documents.write("edge.yaml", gateway(self.port))
        self.documents.write("web.yaml", together(route("web", edit=0), service("web", web)))
        self.good = together(route("api"), service("api", api))
        self.documents.write("api.yaml", self.good)
        self.server = self.signalbox()
        proxy = self.envoy(self.server)
        self.hosts = ["web.example.com", "api.example.com"]
        for host in self.hosts:
            proxy.wait_route(self.port, host)

    def load(self):
        return Load(self.port, self.hosts, rate=RATE, connections=2)

    def errors(self, file="api.yaml"):
        return [each for each in self.server.diagnostics()
                if each["severity"] == "error" and (each["file"] or "").endswith(file)]

    def edit_arrives(self, number):
        """Whether configuration still flows: an edit of the other file is seen in answers."""
        self.documents.write("web.yaml", re.sub(r'value: "\d+"', f'value: "{number}"', self.documents.read("web.yaml")))
        eventually(lambda: any(each.header("x-edit") == str(number) for each in self.traffic.responses[-20:]), 3,
                   f"edit {number} of the healthy document")

    def test_each_kind_of_broken_document(self):
        with self.load() as self.traffic:
            for number, (what, (breaking, code, place)) in enumerate(BROKEN.items(), 1):
                with self.subTest(what):
                    self.documents.write("api.yaml", breaking(self.good))
                    self.reported(what, code, place)
                    self.edit_arrives(number)
                    self.documents.write("api.yaml", self.good)
                    eventually(lambda: not self.errors(), 3, f"no diagnostic after the cure of {what}")
        self.assert_none_failed(self.traffic, RATE // 2)
        self.assertEqual({each.body for each in self.traffic.responses}, {"web", "api"})

    def reported(self, what, code, place):
        found = eventually(self.errors, 3, f"a diagnostic for {what}")
        self.assertIn(code, [each["code"] for each in found], found)
        for each in found:
            self.assertTrue(each["message"] and each["cure"], each)
            self.assertGreater(each["line"], 0)
        if place:
            self.assertIn(self.documents.line_of("api.yaml", place), [each["line"] for each in found], found)

    def test_an_emptied_directory_empties_nothing(self):
        with self.load() as self.traffic:
            for file in self.documents.root.iterdir():
                file.unlink()
            self.held_back()
        self.assert_none_failed(self.traffic, RATE)

    def test_a_deleted_directory_empties_nothing(self):
        with self.load() as self.traffic:
            shutil.rmtree(self.documents.root)
            self.held_back()
            self.documents.root.mkdir()
            self.documents.write("edge.yaml", gateway(self.port))
            self.documents.write("web.yaml", together(route("web", edit=7), service("web", self.upstreams[0])))
            self.documents.write("api.yaml", self.good)
            eventually(lambda: any(each.header("x-edit") == "7" for each in self.traffic.responses[-20:]), 5,
                       "the directory that came back is read")
        self.assert_none_failed(self.traffic, RATE)

    def test_a_removal_that_is_meant_is_accepted(self):
        """By the command that the cure of SB120 names, and by what it does."""
        accept = "signalbox catalog accept --source file"
        metrics = {"source": "file", "reason": "documents"}
        for name in ("held", "removals_held_total", "removals_released_total"):
            self.assertIn(f'signalbox_catalog_{name}{{reason="documents",', self.server.get("/metrics")[1])
            self.assertEqual(self.server.metric(f"signalbox_catalog_{name}", **metrics), 0)
        for path in (None, "/catalog/accept?source=file", "/catalog/accept", "/accept-removals"):
            with self.subTest(path or accept):
                (self.documents.root / "api.yaml").unlink()
                (self.documents.root / "web.yaml").unlink()
                found = eventually(lambda: self.coded("SB120"), 5, "SB120")
                self.assertIn(accept, found[0]["cure"])
                self.assertEqual(self.server.metric("signalbox_catalog_held", **metrics), 4)
                [held] = self.server.state()["held"]
                self.assertEqual((held["source"], held["reason"], held["serviceCount"]), ("file", "documents", 4))
                self.assertNotIn("remainingSeconds", held)
                status = command("catalog", "status", "--admin", f"127.0.0.1:{self.server.admin_port}").stdout
                self.assertRegex(status, r"held of file \(documents\) for \d s: .*route/api.*; until accepted\n")
                if path:
                    answer = urlopen(Request(self.server.url(path), method="POST"), timeout=5).read().decode()
                else:
                    done = command(*accept.split()[1:], "--admin", f"127.0.0.1:{self.server.admin_port}")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    answer = done.stdout
                self.assertEqual(answer, "let go of 4 documents of file\n")
                self.assertEqual((self.coded("SB120"), self.server.state()["held"]), ([], []))
                self.documents.write("web.yaml", together(route("web", edit=0), service("web", self.upstreams[0])))
                self.documents.write("api.yaml", self.good)
                eventually(lambda: self.server.state()["documents"]["route"] == 2, 5, "all is back")
        self.assertEqual(self.server.metric("signalbox_catalog_held", **metrics), 0)
        self.assertGreaterEqual(self.server.metric("signalbox_catalog_removals_held_total", **metrics), 4)
        self.assertEqual(
            self.server.metric("signalbox_catalog_removals_released_total", **metrics, release="accepted"), 4)

    def coded(self, code):
        return [each for each in self.server.diagnostics() if each["code"] == code]

    def held_back(self):
        eventually(lambda: "SB120" in [each["code"] for each in self.server.diagnostics()], 5, "SB120")
        seen = len(self.traffic.responses)
        eventually(lambda: len(self.traffic.responses) > seen + RATE, 5, "a second of requests")
        self.assertEqual(self.server.get("/ready")[0], 200)
