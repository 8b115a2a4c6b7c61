"""A6: Consul stops believing Signalbox's token. It then shows an empty catalog, or none, and neither is the truth."""

import time
import uuid

from rig.case import sized
from rig.processes import eventually
from rig.signalbox import command
from rig.survival import RATE, Survival

MASTER = str(uuid.UUID(int=7))
RULES = 'service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }\nagent_prefix "" { policy = "read" }'
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

    def issue(self):
        self.token = self.consul.put("/v1/acl/token", {"Policies": [{"Name": "signalbox"}]})
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
        self.assertRegex(said, r"(?m)^consul: (suspect|down) \(.*(token|ACL)")
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
