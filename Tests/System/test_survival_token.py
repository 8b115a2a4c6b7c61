"""A6: Consul stops believing Signalbox's token. It then shows an empty catalog, or none, and neither is the truth."""

import time
import uuid

from rig.case import sized
from rig.documents import route
from rig.processes import eventually
from rig.signalbox import command
from rig.survival import CALLED, RATE, Survival
from rig.traffic import once

MASTER = str(uuid.UUID(int=7))
NODES = 'node_prefix "" { policy = "read" }\nagent_prefix "" { policy = "read" }\n'
KEYS = 'key_prefix "signalbox/" { policy = "read" }\n'
RULES = NODES + 'service_prefix "" { policy = "read" }'
WITHIN = 5.0  # seconds until it is said, and until it is over
LASTS = sized(60, 3)  # seconds


class Token(Survival):
    services = 30
    consul_settings = {
        "token": MASTER,
        "acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": MASTER, "agent": MASTER}},
    }

    def setUp(self):
        super().setUp()
        self.policy = self.consul.put("/v1/acl/policy", {"Name": "signalbox", "Rules": RULES})
        self.file = self.scratch / "token"
        self.issue()
        # What a removal that was believed would do is seen at once.
        self.follow("--consul-token-file", self.file, "--catalog-removal-percent", "0")
        self.proxied()

    def issue(self, policy="signalbox"):
        self.token = self.consul.put("/v1/acl/token", {"Policies": [{"Name": policy}]})
        aside = self.file.with_suffix(".new")
        aside.write_text(self.token["SecretID"] + "\n")
        aside.chmod(0o600)
        aside.rename(self.file)

    def test_token_loses_its_rights_and_its_life(self):
        child = self.server.child.pid
        with self.load() as load:
            self.disbelieved("its policy emptied", self.empty_policy, {"suspect"}, self.fill_policy)
            self.disbelieved("deleted", self.delete, {"suspect", "down"}, self.issue)
        self.assert_none_failed(load, RATE * LASTS)
        self.assertEqual((self.server.child.pid, self.server.running), (child, True))
        log = self.server.log.read_text()
        self.assertNotIn(self.token["SecretID"], log)
        self.note(f"0 of {len(load.responses):,} requests failed")

    def test_token_file_breaks(self):
        """What was read from it stays in use. Whoever starts Signalbox anew would have no token."""
        told = self.server.log.read_text().count("token file")
        for what, words, breaks in (
            ("removed", "no such file", self.file.unlink),
            ("emptied", "is empty", lambda: self.file.write_text("")),
            ("binary", "something else than one token", lambda: self.file.write_bytes(b"\xff\xfe\x00bin\n")),
            ("two lines", "something else than one token", lambda: self.file.write_text("one\ntwo\n")),
        ):
            breaks()
            began = time.monotonic()
            eventually(lambda: words in self.source().get("problem", ""), WITHIN, f"it says that the file is {what}")
            named = time.monotonic() - began
            source = self.source()
            self.assertEqual((source["state"], source["reason"]), ("up", "acl"))
            said = command("catalog", "status", "--admin", f"127.0.0.1:{self.server.admin_port}").stdout
            self.assertIn(f"the token file {self.file}", said)
            self.before = self.moves()
            self.assertLessEqual(self.follows(began=self.change()), WITHIN)
            self.unchanged()
            time.sleep(1)
            lines = self.server.log.read_text().count("token file")
            self.assertEqual(lines, told + 1, "it is logged once")
            told = lines
            self.file.write_text(self.token["SecretID"])
            eventually(lambda: "problem" not in self.source(), WITHIN, "and that it is good again")
            self.note(f"{what}: named {named:.1f} s after (of {WITHIN} s)")
        self.file.unlink()
        self.delete()
        eventually(lambda: self.source()["state"] == "down", 20, "the token is refused")
        eventually(lambda: "no such file" in self.source()["problem"], WITHIN, "and the file that lacks it is named")
        self.assertNotIn("does not know the token of", self.source()["problem"])

    def test_token_loses_only_its_keys(self):
        """Consul 1.8 then answers that there are none."""
        self.write_policy(RULES + "\n" + KEYS)
        for name in ("one", "two"):
            self.consul.put(f"/v1/kv/signalbox/{name}.yaml", self.document(name, "web0"))
        server = self.follow_keys()
        for name in ("one", "two"):
            self.proxy.wait_route(self.port, f"{name}.example.com")
        with self.load() as load:
            self.write_policy(RULES)
            # A question that waits keeps the rights that it began with: a change ends it, the next one has the new ones.
            self.consul.put("/v1/kv/signalbox/two.yaml", self.document("two", "web2"))
            eventually(lambda: self.body("two") == "web2", 20, "the last one that is told")
            self.consul.put("/v1/kv/signalbox/two.yaml", self.document("two", "web1"))
            self.reported(server)
            end = time.monotonic() + LASTS
            while time.monotonic() < end:
                self.assertEqual([self.body("one"), self.body("two")], ["web0", "web2"])
                time.sleep(0.1)
            server = self.follow_keys()
            self.reported(server)
            self.assertEqual([self.body("one"), self.body("two")], ["web0", "web2"], "after a restart")
            self.write_policy(RULES + "\n" + KEYS)
            began = time.monotonic()
            eventually(lambda: self.body("two") == "web1", 20, "what was written meanwhile")
            healed = time.monotonic() - began
            # And now they are really deleted.
            self.consul.call("DELETE", "/v1/kv/signalbox/?recurse")
            began = time.monotonic()
            eventually(lambda: {self.status("one"), self.status("two")} == {404}, 10, "both are gone")
            gone = time.monotonic() - began
        self.assert_none_failed(load, 1)
        self.note(f"keys kept for {LASTS} s and over a restart; followed {healed:.1f} s after; deleted in {gone:.1f} s")

    def test_token_loses_some_services(self):
        host = self.hosts[-1]
        with self.load() as load:
            self.write_policy(NODES + 'service "consul" { policy = "read" }\nservice_prefix "svc" { policy = "read" }')
            self.consul.register("svc-other", 1)
            time.sleep(1)
            self.consul.register("svc-another", 1)
            eventually(lambda: "may not read the service" in self.source().get("problem", ""), 20, "it says why")
            self.assertEqual(self.source()["reason"], "acl")
            end = time.monotonic() + LASTS
            while time.monotonic() < end:
                self.assertEqual(once(self.port, host).body, self.web[-1].name)
                self.assert_unmoved("with fewer rights")
                time.sleep(0.1)
            self.write_policy(RULES)
            self.consul.register("svc-third", 1)
            self.wait_source("up", 90)
            self.assert_unmoved("with all rights again")
            self.consul.deregister("svc-other", 1)
            self.deregister(["svc3"])
            eventually(lambda: self.endpoints(self.proxy) == self.services + CALLED - 1, 5, "what is gone goes")
        self.assert_none_failed(load, 1)

    def test_token_loses_one_service_and_that_is_meant(self):
        host, name = self.hosts[-1], self.web[-1].name
        self.restart()
        self.wait_source("up", 20)
        self.write_policy(RULES + f'\nservice "{name}" {{ policy = "deny" }}')
        self.wake_lists()
        self.hides(name)
        self.restart()
        self.hides(name)
        end = time.monotonic() + LASTS
        while time.monotonic() < end:
            self.assertEqual(once(self.port, host).body, name, "after a restart")
            time.sleep(0.1)
        said = self.catalog("status")
        self.assertRegex(said, rf"(?m)held of consul \(hidden\) .*{name}")
        self.assertRegex(said, r"(?m)^consul: suspect, .*accept --source consul")
        self.assertRegex(self.catalog("accept", "--source", "consul"), "let go of 1 instance of consul")
        began = time.monotonic()
        eventually(lambda: self.status(host) == 503, 5, "it is gone")
        gone = time.monotonic() - began
        self.wait_source("up", 5)
        end = time.monotonic() + LASTS
        while time.monotonic() < end:
            self.assertEqual((self.status(host), self.held()), (503, []))
            time.sleep(0.1)
        self.assertEqual(once(self.port, self.hosts[0]).body, self.web[0].name, "the others are there")
        self.write_policy(RULES)
        began = time.monotonic()
        self.wake_lists()
        eventually(lambda: self.status(host) == 200, 20, "it is back")
        self.note(f"gone {gone:.1f} s after it was accepted, back {time.monotonic() - began:.1f} s after the right was")

    def test_token_loses_its_keys_and_that_is_meant(self):
        self.write_policy(RULES + "\n" + KEYS)
        self.consul.put("/v1/kv/signalbox/one.yaml", self.document("one", "web0"))
        server = self.follow_keys()
        self.proxy.wait_route(self.port, "one.example.com")
        self.write_policy(RULES)
        for service in ("web1", "web2"):
            self.consul.put("/v1/kv/signalbox/one.yaml", self.document("one", service))
            time.sleep(0.5)
        self.reported(server)
        self.assertEqual(self.body("one"), "web1")
        server = self.follow_keys()
        self.reported(server)
        self.assertEqual(self.body("one"), "web1", "after a restart")
        held = [("hidden_policy", ["key/signalbox/one.yaml"])]
        eventually(lambda: [(each["reason"], each["services"]) for each in self.held()] == held, 5, "held")
        self.assertRegex(self.catalog("status"), r"(?m)held of consul \(hidden_policy\) .*key/signalbox/one.yaml.*; until accepted$")
        said = self.catalog("accept", "--source", "consul")
        self.assertIn("let go of 1 config entry or document that it refuses to show of consul", said)
        eventually(lambda: self.status("one") == 404, 5, "it is gone")
        eventually(lambda: "SB353" not in [each["code"] for each in server.diagnostics()], 5, "SB353 is over")
        self.write_policy(RULES + "\n" + KEYS)
        for service in ("web1", "web2"):
            self.consul.put("/v1/kv/signalbox/two.yaml", self.document("two", service))
            time.sleep(0.5)
        eventually(lambda: self.status("one") == 200, 20, "it is back")

    def test_another_token_with_fewer_rights(self):
        """Nothing changes in Consul meanwhile: what waits there keeps the rights that it began with."""
        self.consul.put("/v1/acl/policy", {"Name": "few", "Rules": NODES + 'service "consul" { policy = "read" }'})
        with self.load() as load:
            self.issue("few")
            began = time.monotonic()
            eventually(lambda: "more any more" in self.source().get("problem", ""), WITHIN, "all are counted")
            named = time.monotonic() - began
            self.assertIn("may not read the services ", self.source()["problem"])
            self.assert_unmoved("with another token")
            self.issue()
            self.wait_source("up", WITHIN)
        self.assert_none_failed(load, 1)
        self.note(f"named {named:.1f} s after (of {WITHIN} s)")

    @staticmethod
    def document(name, service):
        return route(name, service=service)

    def follow_keys(self):
        """Another Signalbox in place of the one that runs, at the same port."""
        self.server.stop()
        options = {"--consul-token-file": self.file, "--catalog-removal-percent": "0",
                   "--consul-kv-prefix": "signalbox/", "--state-directory": self.scratch / "state"}
        return self.follow(*(each for pair in options.items() for each in pair), xds=self.server.xds)

    @staticmethod
    def reported(server):
        eventually(lambda: [each for each in server.diagnostics() if each["code"] == "SB353"], 90, "SB353 is in /state")

    def restart(self):
        """With what was stored, and the guard as it is."""
        self.server.stop()
        return self.follow("--consul-token-file", self.file, "--state-directory", self.scratch / "state",
                           xds=self.server.xds)

    def wake_lists(self):
        """A question that waits keeps the rights that it began with: the next one has those of now."""
        for name in ("svc-one", "svc-other"):
            self.consul.register(name, int(time.monotonic()) % 60000 + 1)
            time.sleep(0.5)

    def hides(self, name):
        eventually(lambda: f"may not read the service {name} any more" in self.source().get("problem", ""), 20, "it says so")
        eventually(lambda: [(each["reason"], each["services"]) for each in self.held()] == [("hidden", [name])], 5, "held")
        self.assertIn("SB307", [each["code"] for each in self.server.diagnostics()])

    def catalog(self, *words):
        return command("catalog", *words, "--admin", f"127.0.0.1:{self.server.admin_port}").stdout

    def body(self, name):
        return once(self.port, f"{name}.example.com").body

    def status(self, host):
        return once(self.port, host if "." in host else f"{host}.example.com").status

    def write_policy(self, rules):
        self.consul.put(f"/v1/acl/policy/{self.policy['ID']}", {"Name": "signalbox", "Rules": rules})

    def disbelieved(self, what, breaks, states, heals):
        self.before = self.moves()
        breaks()
        began = time.monotonic()
        eventually(lambda: self.source()["state"] in states, 20, f"the source is {states}")
        named = time.monotonic() - began
        # A blocking query is answered only when something changes, and then with an empty catalog.
        self.consul.register("other", 1)
        while time.monotonic() - began < LASTS:
            source = self.source()
            self.assertIn(source["state"], states)
            self.assertEqual(source["reason"], "acl", source)
            self.assert_unmoved(f"with the token {what}")
            time.sleep(0.1)
        said = command("catalog", "status", "--admin", f"127.0.0.1:{self.server.admin_port}").stdout
        self.assertRegex(said, r"(?m)^consul: (suspect|down), .*\(.*(token|ACL)")
        self.assertEqual(self.held(), [])
        heals()
        began = time.monotonic()
        eventually(lambda: self.source()["state"] == "up", 20, "the source is up")
        self.assert_unmoved("when the token was good again")
        follows = self.follows(began=self.change())
        healed = time.monotonic() - began
        self.note(f"{what}: named {named:.1f} s after, followed again {healed:.1f} s after it was made good, a change "
                  f"in {follows:.2f} s (of {WITHIN} s)")
        self.unchanged()
        self.assertLessEqual(named, WITHIN)
        self.assertLessEqual(healed, WITHIN)

    def empty_policy(self):
        self.consul.put(f"/v1/acl/policy/{self.policy['ID']}", {"Name": "signalbox", "Rules": ""})

    def fill_policy(self):
        self.consul.put(f"/v1/acl/policy/{self.policy['ID']}", {"Name": "signalbox", "Rules": RULES})

    def delete(self):
        self.consul.call("DELETE", f"/v1/acl/token/{self.token['AccessorID']}")
