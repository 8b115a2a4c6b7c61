"""Clients that come back and know something.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import ALL, DELTA, DeltaADS, DeltaPerType, SotWADS
from resources import CDS, KINDS, LDS, RDS, ROOTS


class Reconnection(ConformanceTest):
    def gone(self, kind, *names):
        """A client that held these names, or all, of a world that has a, b and c; it is not connected any more."""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        return self.reconnected(client)

    @over(DELTA, KINDS)
    def test_what_is_current_is_not_sent_again(self, kind):
        """«The client may tell the server of its known resources to avoid resending them over the network.»"""
        client = self.gone(kind, "a", "b")
        client.resume(kind)
        client.quiet()
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        self.world.remove(kind, "b")
        self.assertEqual(client.take(kind).removed, ["b"])

    @over(DELTA, ROOTS)
    def test_what_is_current_under_the_wildcard_is_not_sent_again(self, kind):
        """As above, with both forms of the wildcard. A server may say that there is nothing, as go-control-plane
        does."""
        for names in ([], ["*"]):
            client = self.gone(kind, *names)
            client.resume(kind)
            for response in client.settle(kind):
                self.assertEqual((response.content, response.removed), ({}, []))
            self.world.change(kind, "a")
            self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over(DELTA, KINDS)
    def test_what_changed_meanwhile_is_sent_and_nothing_else(self, kind):
        """As above: what it knows is not the newest."""
        client = self.gone(kind, "a", "b")
        self.world.change(kind, "b")
        client.resume(kind)
        response = client.take(kind)
        self.assertEqual((response.content, response.removed), (self.world.of(kind, "b"), []))
        client.quiet()

    @over(DELTA, KINDS)
    def test_what_was_removed_meanwhile_is_told(self, kind):
        """Or the client would keep it for ever."""
        client = self.gone(kind, "a", "b")
        self.world.remove(kind, "b")
        client.resume(kind)
        response = client.take(kind)
        self.assertEqual((response.content, response.removed), ({}, ["b"]))
        client.quiet()

    @over(DELTA, ROOTS)
    def test_all_that_happened_meanwhile_under_the_wildcard_is_told(self, kind):
        """Changes, additions and removals."""
        client = self.gone(kind)
        with self.world.together():
            self.world.change(kind, "a")
            self.world.remove(kind, "b")
            self.world.add(kind, "d")
        client.resume(kind)
        taken = client.holding(kind, self.world.of(kind))
        self.assertEqual({name for response in taken for name in response.names}, {"a", "d"})
        self.assertEqual([name for response in taken for name in response.removed], ["b"])
        client.quiet()

    def told_of_thirty_of_each(self, kind, *names):
        """30 of hundreds change, 30 go and 30 come while it is away: these are told, each once, and nothing else."""
        old, new = ([f"{age}-{number:03}" for number in range(count)] for age, count in (("old", 300), ("new", 30)))
        changed, removed = old[100:130], old[200:230]
        self.world.add(kind, *old)
        client = self.client()
        client.subscribe(kind, *(names or [*old, *new]))
        client.holding(kind, self.world.of(kind))
        client.settle(kind)
        client = self.reconnected(client)
        with self.world.together():
            self.world.change(kind, *changed)
            self.world.remove(kind, *removed)
            self.world.add(kind, *new)
        client.resume(kind)
        taken = client.holding(kind, self.world.of(kind))
        client.quiet()
        self.assertEqual(sorted(name for response in taken for name in response.names), [*new, *changed])
        self.assertEqual(sorted(name for response in taken for name in response.removed), removed)

    @over(DELTA, KINDS)
    def test_thirty_changed_removed_and_new_of_hundreds_of_names(self, kind):
        """«Avoid resending them over the network»; the new ones are names that were missing when it asked."""
        self.told_of_thirty_of_each(kind)

    @over(DELTA, ROOTS)
    def test_thirty_changed_removed_and_new_of_hundreds_under_the_wildcard(self, kind):
        """As above, without a name."""
        self.told_of_thirty_of_each(kind, "*")

    @over(DELTA, ROOTS)
    def test_all_that_it_held_being_gone_is_told(self, kind):
        """As above."""
        client = self.gone(kind, "*")
        self.world.remove(kind, "a", "b", "c")
        client.resume(kind)
        client.holding(kind, {})
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_version_that_nobody_gave_is_not_current(self, kind):
        """Of another server, of another time, or none at all, as Istio's clients have it."""
        self.world.add(kind, "a", "b", "c", "d")
        client = self.client()
        client.remember(kind, ["a", "b", "c", "d"], [])
        client.send(kind, ["a", "b", "c", "d"], versions={"a": "", "b": "1", "c": "ü" * 500, "d": "0" * 32})
        client.holding(kind, self.world.of(kind))
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_version_of_another_resource_is_not_current(self, kind):
        """A version belongs to a name."""
        client = self.gone(kind, "a", "b")
        now = client.of(kind)
        now.versions = {"a": now.versions["b"], "b": now.versions["a"]}
        now.held.clear()
        client.resume(kind)
        client.holding(kind, self.world.of(kind, "a", "b"))

    @over(DELTA, KINDS)
    def test_a_name_that_is_new_is_sent_beside_what_is_current(self, kind):
        """«The reconnecting client must provide the server with all resource names it is interested in.»"""
        client = self.gone(kind, "a")
        client.remember(kind, ["b"], [])
        client.resume(kind)
        self.assertEqual(client.take(kind).content, self.world.of(kind, "b"))
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_missing_name_is_told_beside_what_is_current(self, kind):
        """«When a resource subscribed to by a client does not exist»: nor did it before."""
        client = self.gone(kind, "a")
        client.remember(kind, ["missing"], [])
        client.resume(kind)
        response = client.take(kind)
        self.assertEqual((response.content, response.removed), ({}, ["missing"]))
        client.quiet()

    @over(DELTA, KINDS)
    def test_what_is_known_and_not_asked_for_is_not_sent(self, kind):
        """A version is no subscription."""
        client = self.gone(kind, "a", "b")
        client.of(kind).wanted = ["a"]
        self.world.change(kind, "b")
        client.resume(kind)
        self.assertEqual([name for response in client.settle(kind) for name in response.names], [])
        self.world.change(kind, "b")
        client.quiet()

    @over(DELTA, KINDS)
    def test_what_is_current_and_asked_for_again_later_is_answered(self, kind):
        """«The server must still provide those resources in the response»: only the first request tells versions."""
        client = self.gone(kind, "a")
        client.resume(kind)
        client.quiet()
        client.subscribe(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over((SotWADS, DeltaADS, DeltaPerType))
    def test_each_type_of_a_stream_comes_back_for_itself(self):
        """«Each resource type is treated as a separate logical stream»: each has a first request."""
        client = self.client()
        self.world.fill("a", "b")
        for kind in KINDS:
            client.subscribe(kind, "a", "b")
            client.holding(kind, self.world.of(kind))
        again = self.reconnected(client)
        for kind in (CDS, LDS, RDS):
            self.world.change(kind, "b")
        for kind in reversed(KINDS):
            again.resume(kind)
            again.settle(kind)
            self.assertEqual(again.held(kind), self.world.of(kind))

    @over(ALL, KINDS)
    def test_a_client_that_comes_back_to_a_restarted_server_is_brought_up_to_date(self, kind):
        """What it knows is of resources and not of a server's life."""
        client = self.gone(kind, "a", "b")
        self.server.restart()
        self.world.change(kind, "b")
        client.resume(kind)
        taken = client.holding(kind, self.world.of(kind, "a", "b"))
        if self.variant in DELTA:
            self.assertEqual([response.names for response in taken], [{"b"}])
        client.quiet()

    @over(ALL, ROOTS)
    def test_a_client_that_refused_is_not_held_to_it_on_another_stream(self, kind):
        """It comes back with what it accepted, and is told what there is."""
        client = self.client()
        self.world.add(kind, "a", "b")
        client.subscribe(kind)
        client.holding(kind, self.world.of(kind))
        self.world.change(kind, "a")
        client.nack(client.expect(kind))
        again = self.reconnected(client)
        again.resume(kind)
        again.holding(kind, self.world.of(kind))

    @over(DELTA, ROOTS)
    def test_versions_larger_than_four_megabytes_are_read(self, kind):
        """4 MiB is gRPC's default; a client with many resources is larger, and has no way to say less."""
        self.world.add(kind, "a")
        client = self.client()
        client.send(kind, versions={f"{number:0100}": "f" * 32 for number in range(40_000)})
        client.remember(kind, [], [])
        removed = set()
        while len(removed) < 40_000:
            # An unoptimised build takes its time.
            removed |= set(client.take(kind, timeout=60).removed)
        client.holding(kind, self.world.of(kind))
