"""Whoever may register services writes what they like: it costs them only, and all others are served as before."""

import re
from collections import Counter

from rig import documents as text
from rig.consul import ConsulError
from rig.consul_case import ConsulTest, answers
from rig.probe import Probe
from rig.processes import eventually, free_port
from rig.traffic import Load, Upstream, once

ALLOWED = "127.77.0.0/16"
GOOD, STRANGER = "127.77.0.1", "127.77.0.2"
LARGE = "x" * 65_536
RULES = ["web.example.com=web|later", "team.example.com|*.team.example.com=team-*", "*.evil.example.com=*"]

UNASKABLE = [  # Consul has no answer for such a name
    "evil\nname", "evil\r\nHost: x", "evil\tname", "../../v1/kv/x", "evil/../web", "evil\0name", "e" * 300, LARGE,
]
ODD_NAMES = [
    'evil"quote', "evil'quote", 'evil{{env "HOME"}}', "evil%41%00", "evil;drop",
    "evil?index=0&wait=1s", "evil#part", " web", "web ", "web@tags", "signalbox/xds", "évil",
]
TAGS = [
    "host=a.evil.example.com\nsignalbox.host=web.example.com", 'host=a".evil.example.com', 'host={{env "HOST"}}',
    "host=%41.evil.example.com", "host=a;.evil.example.com", "host=*", "host=*.com", "host=web.example.com",
    "host=x.team.example.com", "host=*.example.com", f"host={LARGE}", f"path=/{LARGE}", "path.regex=(a{1000}){1000}",
    "path.regex=(", "path=/a\r\nb", "header.x-a=a\r\nx-b: c", "header.:authority=web.example.com",
    "redirect=https://x.example.com/\r\nset-cookie: a=b", "rewrite=/\n", "timeout=99999999999h", "retries=-1",
    "gateway=../edge", f"{LARGE}=a", "=", "host",
]
ADDRESSES = [
    ("127.0.0.1", 8080), ("169.254.169.254", 80), ("::1", 8080), ("::ffff:127.0.0.1", 8080), ("0.0.0.0", 80),
    ("::", 80), ("fd00:ec2::254", 80), ("localhost", 80), ("0177.0.0.1", 80), ("2130706433", 80), ("127.0.0.1\n", 80),
    (f"{STRANGER}:1", 80), ("%2f", 80), ('"{{x}}', 80), (LARGE, 80), (STRANGER, 0), (STRANGER, 70_000), (STRANGER, -1),
    (STRANGER, 65_536 + 80),
]
METAS = [
    {"a\nb": "c"}, {"a": "b\nc"}, {'"{{;%': '"{{;%'}, {"a": LARGE}, {LARGE: "a"}, {f"k{n}": "v" for n in range(1_000)},
]


class ConsulHostile(ConsulTest):
    def setUp(self):
        super().setUp()
        self.catalog = self.consul()
        self.good = {name: self.listening(name, GOOD) for name in ("web", "team-a", "doc")}
        self.stranger = self.listening("stranger", STRANGER)
        for name, upstream in self.good.items():
            tags = {"web": ["signalbox.host=web.example.com"], "team-a": ["signalbox.host=team.example.com"]}
            self.catalog.register(name, upstream.port, address=GOOD, Tags=tags.get(name, []))
        self.documents.write("doc.yaml", text.route("doc"))
        self.hosts = {"web.example.com": "web", "team.example.com": "team-a", "doc.example.com": "doc"}
        self.refused, self.tried = 0, 0

    def listening(self, name, address):
        self.upstreams.append(Upstream(name, free_port(), address))
        return self.upstreams[-1]

    def test_hostile_registrations(self):
        rules = [flag for rule in RULES for flag in ("--tags-hosts", rule)]
        server = self.following(self.catalog, *rules, allow=["--catalog-allow-addresses", ALLOWED])
        envoy = self.envoy(server)
        for host in self.hosts:
            envoy.wait_route(self.port, host)
        with Load(self.port, list(self.hosts), rate=300) as load:
            expected = {**self.names(), **self.tags(), **self.addresses(), **self.metas()}
            for subject, codes in expected.items():
                eventually(lambda: self.codes(server, subject) & codes, 10, f"{codes} of {subject!r} in /state")
            self.catalog.register("later", self.good["doc"].port, address=GOOD,
                                  Tags=["signalbox.host=web.example.com", "signalbox.path=/later"])
            Probe(self.port, "web.example.com", "/later").until(answers(self.good["doc"]))
        self.note(f"{self.tried} registrations, {self.refused} refused by Consul, {len(expected)} found in /state")
        self.note(f"{len(load.failures)} of {len(load.responses)} requests of others failed")
        self.assert_none_failed(load, at_least=100)
        strange = Counter((each.host, each.body) for each in load.responses if each.body != self.hosts[each.host])
        self.assertEqual(strange, {}, "answers by another service")
        self.assertEqual(server.state()["rejections"], [])
        self.assertEqual(self.source(server)["state"], "up")
        for number in range(len(UNASKABLE) + len(ODD_NAMES)):
            self.assertEqual(once(self.port, f"n{number}.evil.example.com").status, 404)
        self.assertEqual(once(self.port, "case.evil.example.com").body, "stranger", "WEB is a service of its own")
        self.assert_nobody_else(envoy)
        server.kill()  # and with all of them, it starts as quickly as without
        server.start()
        server.wait_settled("edge-1")

    def test_our_own_ports(self):
        server = self.following(self.catalog, allow=["--catalog-allow-addresses", "127.0.0.0/8"])
        envoy = self.envoy(server)
        envoy.wait_route(self.port, "web.example.com")
        for port in (server.admin_port, int(server.xds.split(":")[1])):
            for number, address in enumerate(("127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1")):
                name = f"own-{port}-{number}"
                self.catalog.register(name, port, address=address, Tags=[f"signalbox.host={name}.example.com"])
                self.reported(server, "SB311", f"service/{name}")
                self.assertEqual(once(self.port, f"{name}.example.com").status, 404)
        self.assert_nobody_else(envoy)

    def test_ports_of_agents_and_proxies(self):
        """What may be on loopback is allowed, and these are not."""
        agent = (self.catalog.address, 8500)
        places = {"api": agent, "api-mapped": (f"::ffff:{agent[0]}", 8500), "api-6to4": ("2002:7f00:1::1", 8500),
                  "admin": ("127.0.0.1", 9901), "admin-mapped": ("::ffff:127.0.0.1", 9901)}
        allow = ["--catalog-allow-addresses", "127.0.0.0/8"]
        server = self.following(self.catalog, allow=allow)
        envoy = self.envoy(server)
        envoy.wait_route(self.port, "web.example.com")
        for name, (address, port) in places.items():
            self.catalog.register(name, port, address=address, Tags=[f"signalbox.host={name}.example.com"])
            words = "the Consul that is followed" if port == 8500 else "Envoy's admin interface"
            self.reported(server, "SB311", f"service/{name}", words)
            self.assertEqual(once(self.port, f"{name}.example.com", "/v1/agent/self").status, 404)
        self.assert_nobody_else(envoy)
        server.stop()
        very = ["--catalog-allow-addresses", f"{agent[0]}:{agent[1]}"]
        server = self.following(self.catalog, allow=allow + very, xds=server.xds)
        Probe(self.port, "api.example.com", "/v1/agent/self").until(lambda status, _: status == 200)
        self.reported(server, "SB311", "service/admin")

    # What is written, and the findings of which one must be said.

    def names(self):
        expected = {}
        for number, name in enumerate(UNASKABLE + ODD_NAMES):
            if self.write(name, Tags=[f"signalbox.host=n{number}.evil.example.com"]) and name in ODD_NAMES:
                expected[name] = {"SB322"}
        if self.write("WEB", Tags=["signalbox.host=case.evil.example.com"]):
            expected |= {"WEB": {"SB312"}, "web": {"SB312"}}
        return expected | {min(UNASKABLE): {"SB312"}}

    def tags(self):
        expected = {}
        for number, tag in enumerate(TAGS):
            self.write(f"tag-{number}", Tags=[f"signalbox.{tag}"])
            expected[f"tag-{number}"] = {"SB312", "SB321", "SB322", "SB326", "SB355"}
        self.write("many", Tags=[f"signalbox.host=t{number}.evil.example.com" for number in range(600)])
        return expected | {"many": {"SB328"}}

    def addresses(self):
        written = [
            f"address-{number}" for number, (address, port) in enumerate(ADDRESSES)
            if self.write(f"address-{number}", address=address, port=port)
        ]
        for address, port in ADDRESSES:
            self.write("web", address=address, port=port)
        return dict.fromkeys(written, {"SB311", "SB352"})

    def metas(self):
        written = [f"meta-{number}" for number, meta in enumerate(METAS) if self.write(f"meta-{number}", Meta=meta)]
        return dict.fromkeys(written, {"SB312"})

    def write(self, service, **fields):
        """Whether Consul takes it."""
        self.tried += 1
        entry = {"address": STRANGER, "port": self.stranger.port} | fields
        try:
            self.catalog.register(service, identity=f"id-{self.tried}", **entry)
        except ConsulError:
            self.refused += 1
            return False
        return True

    @staticmethod
    def codes(server, service):
        subject = "service/" + service.replace('"', '\\"').replace("'", "\\'")
        return {each["code"] for each in server.diagnostics() if each.get("subject") in (subject, f"service/{service}")}

    def assert_nobody_else(self, envoy):
        """Envoy knows no address but those of the upstreams, and ours."""
        known = re.findall(r"^(?!signalbox)[^:]+::(\S+?:\d+)::cx_active", envoy.get("/clusters")[1], re.MULTILINE)
        self.assertGreaterEqual(len(known), len(self.good))
        strange = set(known) - {f"{each.address}:{each.port}" for each in self.upstreams}
        self.assertEqual(strange, set(), "addresses that Envoy knows")
