"""A service says by its tags which requests it wants; what it says badly, or may not say, costs itself only."""

from rig import documents as text
from rig.consul_case import ConsulTest, answers
from rig.probe import Probe
from rig.traffic import once

# The name of a service, its tags; then what requests for a host and path are answered with, and the code of a finding.
# Every row of docs/tags.md is read by a test of the unit; these are some of it in real requests.
LINES = [
    ("plain", ["host=Plain.Example.COM"], {"plain.example.com/any": 200, "other.example.com/": 404}, None),
    ("list", ["host=a.example.com, b.example.com"], {"a.example.com/": 200, "b.example.com/": 200}, None),
    ("wild", ["host=*.wild.example.com"], {"x.wild.example.com/": 200, "wild.example.com/": 404}, None),
    ("path", ["host=path.example.com", "path=/api/"],
     {"path.example.com/api": 200, "path.example.com/api/1": 200, "path.example.com/apis": 404}, None),
    ("exact", ["host=exact.example.com", "path.exact=/health"],
     {"exact.example.com/health": 200, "exact.example.com/health/1": 404}, None),
    ("regex", ["host=regex.example.com", "path.regex=/v[0-9]+/.*"],
     {"regex.example.com/v12/a": 200, "regex.example.com/v/a": 404}, None),
    ("post", ["host=post.example.com", "method=POST,PUT"], {"post.example.com/": 404}, None),
    ("headed", ["host=headed.example.com", "header.X-Team=blue"], {"headed.example.com/": 404}, None),
    ("moved", ["host=moved.example.com", "redirect=https://web.example.com:8443/x"], {"moved.example.com/": 302}, None),
    ("off", ["host=off.example.com", "enable=false"], {"off.example.com/": 404}, None),
    ("two", ["route.shop.host=shop.example.com", "route.pay.host=pay.example.com"],
     {"shop.example.com/": 200, "pay.example.com/": 200}, None),
    ("misspelt", ["hots=misspelt.example.com"], {"misspelt.example.com/": 404}, "SB321"),
    ("partly", ["host=partly.example.com", "route.x.hots=x.example.com"],
     {"partly.example.com/": 200, "x.example.com/": 404}, "SB321"),
    ("scheme", ["host=https://scheme.example.com"], {"scheme.example.com/": 404}, "SB322"),
    ("unit", ["host=unit.example.com", "timeout=5"], {"unit.example.com/": 404}, "SB322"),
    ("yes", ["host=yes.example.com", "enable=yes"], {"yes.example.com/": 404}, "SB322"),
    ("nowhere", ["host=nowhere.example.com", "gateway=egde"], {"nowhere.example.com/": 404}, "SB324"),
    ("greedy", ["host=*.com,greedy.example.com"], {"greedy.example.com/": 200, "any.com/": 404}, "SB326"),
    ("all", ["path=/api"], {"whatever.example.com/api": 404}, "SB326"),
    ("dots", ["host=dots.example.com", "path=/a/../b"], {"dots.example.com/b": 404}, "SB322"),
    ("loop", ["host=loop.example.com", "redirect=http"], {"loop.example.com/": 404}, "SB322"),
    ("weighed", ["host=weighed.example.com", "weight=1", "weight=2"], {"weighed.example.com/": 200}, "SB327"),
    ("both", ["host=both.example.com", "path=/a", "path.exact=/b"], {"both.example.com/a": 404}, "SB327"),
]


class ConsulTags(ConsulTest):
    def setUp(self):
        super().setUp()
        self.catalog = self.consul()
        self.web, self.other = self.upstream("web"), self.upstream("other")
        self.tag("web", self.web, "host=web.example.com")

    def tag(self, service, upstream, *tags, **fields):
        tags = [tag if tag == "canary" else f"signalbox.{tag}" for tag in tags]
        self.catalog.register(service, upstream.port, f"{service}-{upstream.name}", Tags=tags, **fields)

    def begin(self, *flags):
        server = self.following(self.catalog, *flags)
        self.envoy(server).wait_route(self.port, "web.example.com")
        return server

    def test_what_they_say(self):
        for name, tags, _, _ in LINES:
            self.tag(name, self.other, *tags)
        self.tag("split", self.web, "host=split.example.com", "canary.header=x-canary")
        self.tag("split", self.other, "canary")
        self.tag("some", self.web, "host=some.example.com")
        self.tag("some", self.other, "enable=false", "host=never.example.com")
        server = self.begin()
        self.assertEqual({once(self.port, "some.example.com").body for _ in range(20)}, {"web"})
        self.assertEqual(once(self.port, "never.example.com").status, 404)
        for name, _, requests, code in LINES:
            for request, status in requests.items():
                self.assertEqual(once(self.port, *self.parts(request)).status, status, request)
            found = {each["code"] for each in server.diagnostics() if each.get("subject") == f"service/{name}"}
            self.assertEqual(found, {code} if code else set(), name)
        blue = {"x-team": "blue"}
        self.assertEqual(once(self.port, "headed.example.com", headers=blue).status, 200)
        self.assertEqual(once(self.port, "moved.example.com").header("location"), "https://web.example.com:8443/x")
        self.assertEqual({once(self.port, "split.example.com").body for _ in range(20)}, {"web"})
        canary = {"x-canary": "1"}
        self.assertEqual({once(self.port, "split.example.com", headers=canary).body for _ in range(20)}, {"other"})
        self.note(f"{len(LINES)} services")

    def test_what_they_say_next(self):
        """Bad tags leave the good ones in force, and conflicts are decided by names, whoever came first."""
        server = self.begin("--catalog-vanished-grace-seconds", "0", "--removal-guard", "0")
        web, taken = Probe(self.port, "web.example.com"), Probe(self.port, "taken.example.com")
        self.tag("web", self.web, "host=web.example.com", "path=api")
        self.reported(server, "SB322", "service/web")
        self.assertEqual(web.ask(), (200, "web"), "the last good route")
        moved = Probe(self.port, "moved.example.com")
        self.measure("another host", moved, lambda: self.tag("web", self.web, "host=moved.example.com"),
                     answers(self.web))
        self.cured(server, "SB322", "service/web")
        self.assertEqual(web.ask()[0], 404, "the host of before")

        self.tag("zeta", self.other, "host=taken.example.com")
        taken.until(answers(self.other))
        self.measure("smaller name", taken, lambda: self.tag("alpha", self.web, "host=taken.example.com"),
                     answers(self.web))
        self.reported(server, "SB325", "service/zeta", "taken.example.com")
        self.measure("it leaves", taken, lambda: self.catalog.deregister("alpha", 0, "alpha-web"), answers(self.other))
        self.cured(server, "SB325", "service/zeta")
        self.documents.write("taken.yaml", text.route("taken", service="web"))
        taken.until(answers(self.web))
        self.reported(server, "SB325", "service/zeta", "taken.example.com")
        self.documents.remove("taken.yaml")
        taken.until(answers(self.other))
        self.assert_took(300)

    @staticmethod
    def parts(request):
        host, slash, path = request.partition("/")
        return host, slash + path
