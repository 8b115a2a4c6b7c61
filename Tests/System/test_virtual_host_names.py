"""B20: a proxy asks for thousands of hosts that nobody has, as a scanner makes it do: each is answered, what is
remembered of them is bounded, and hosts that are there are served all the same."""

from rig.bystander import BesideOthers
from rig.case import sized
from rig.documents import gateway, route, service, together
from rig.http2 import Connection
from rig.xds import DELTA_VHDS, VHDS, DeltaDiscoveryResponse, delta

ALIASES = sized(10_000, 2_000)
KEPT = 10_000  # names that lead nowhere and are remembered
BATCH = 100  # of a request
MEGABYTES = 30


class VirtualHostNames(BesideOthers):
    def setUp(self):
        super().setUp()
        # A gateway beside the one of the bystander, for proxies of its own.
        self.documents.write("asking.yaml", gateway(self.port, name="asking", virtual_hosts="on-demand"))
        self.documents.write("known.yaml", together(service("known", self.upstreams[0]), self.route("known")))
        self.connection = Connection(self.server.xds)
        self.call, self.read, self.answered = self.connection.call(DELTA_VHDS), 0, {}
        self.connection.say(self.call, delta(VHDS, node="asking-1"))
        self.ask([self.name("known")])

    def route(self, name):
        return route(name, host=f"{name}.example.com", gateway="asking", service="known")

    def name(self, host):
        return f"asking/http/{host}.example.com"

    def subscribe(self, names):
        self.connection.say(self.call, delta(VHDS, names))

    def take(self):
        """Acknowledges what came; name or alias -> whether there is such a virtual host."""
        while self.read < len(self.call.messages):
            response = DeltaDiscoveryResponse.FromString(self.call.messages[self.read])
            self.call.messages[self.read] = None
            self.read += 1
            self.connection.say(self.call, delta(VHDS, nonce=response.nonce))
            for each in response.resources:
                self.answered |= dict.fromkeys([each.name, *each.aliases], each.HasField("resource"))
        return self.answered

    def told(self):
        """What /state says of the stream."""
        return self.server.streams("asking-1")[0]["types"]["VHDS"]

    def remembered(self):
        return {each for each in self.told()["subscribed"] if "nobody" in each}

    def ask(self, names):
        for start in range(0, len(names), BATCH):
            self.subscribe(names[start:start + BATCH])
            self.connection.pump()
            self.take()
        self.connection.until(lambda: self.take().keys() >= set(names), 10, "an answer for each")

    def test_aliases_by_the_thousand_come_and_go(self):
        names = [self.name(f"nobody-{number}") for number in range(ALIASES)]

        def comes_and_goes():
            self.answered.clear()
            self.ask(names)
            self.assertEqual([each for each in names if self.answered[each]], [], "that there is such a virtual host")
            self.assertEqual(len(self.remembered()), ALIASES)
            for start in range(0, ALIASES, BATCH):
                self.connection.say(self.call, delta(VHDS, (), names[start:start + BATCH]))
            # An answer to what was said last.
            self.answered.clear()
            self.ask([self.name("known")])
            self.assertTrue(self.answered[self.name("known")])
            self.assertEqual(self.remembered(), set())

        self.beside(comes_and_goes, growth=MEGABYTES)
        for _ in range(sized(20, 3)):
            self.beside(comes_and_goes, growth=MEGABYTES / 2)
        self.note_worst(f"{ALIASES} aliases, {sized(21, 4)} times")

    def test_what_is_remembered_is_bounded(self):
        names = [self.name(f"nobody-{number}") for number in range(KEPT * 3 // 2)]
        self.beside(lambda: self.ask(names), growth=MEGABYTES)
        kept = self.remembered()
        self.assertLessEqual(len(kept), KEPT)
        self.assertGreater(len(kept), KEPT * 0.9)
        self.assertEqual(self.told()["namesDropped"], len(names) - len(kept), "names that were not remembered")
        # One that is remembered is told when it appears; one that is not may ask again.
        known = next(each for each in names if each in kept)
        lost = next(each for each in reversed(names) if each not in kept)
        hosts = [each.split("/")[-1].removesuffix(".example.com") for each in (known, lost)]
        self.documents.write("appears.yaml", together(*map(self.route, hosts)))
        self.connection.until(lambda: self.take()[known], 5, "the host that was remembered")
        self.subscribe([lost])
        self.connection.until(lambda: self.take()[lost], 5, "the host that asks again")
        self.note_worst(f"{len(names)} aliases, {len(kept)} of them remembered")
