"""Versions and nonces: what they are equal to, and to what not.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import AGGREGATED, ALL, DELTA, SOTW
from resources import CDS, EDS, KINDS, LDS, RDS, ROOTS


class Versions(ConformanceTest):
    def version(self, kind, *names):
        """What a client that comes now is told: SotW's version_info, delta's versions by name."""
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        now = client.of(kind)
        return now.versions if self.variant in DELTA else now.version

    @over(ALL, KINDS)
    def test_a_version_changes_with_the_content(self, kind):
        """«Whenever one resource of that type changes, the version is changed.»"""
        self.world.add(kind, "a", "b")
        before = self.version(kind, "a", "b")
        self.world.change(kind, "a")
        after = self.version(kind, "a", "b")
        self.assertNotEqual(after, before)
        if self.variant in DELTA:
            self.assertNotEqual(after["a"], before["a"])
            self.assertEqual(after["b"], before["b"], "what did not change keeps its version")

    @over(ALL, KINDS)
    def test_a_version_changes_on_the_stream_that_sees_the_change(self, kind):
        """As above, told by two responses of one stream."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        client.holding(kind, self.world.of(kind))
        before = client.of(kind).version, client.of(kind).versions.get("a")
        self.world.change(kind, "a")
        client.take(kind)
        self.assertNotEqual((client.of(kind).version, client.of(kind).versions.get("a")), before)

    @over(ALL, KINDS)
    def test_equal_content_has_an_equal_version(self, kind):
        """«The version for a resource type is not a property of an individual xDS stream but rather a property of the
        resources themselves.»"""
        self.world.add(kind, "a", "b")
        content, first = self.world.of(kind), self.version(kind, "a", "b")
        self.assertEqual(self.version(kind, "a", "b"), first, "on another stream")
        self.world.change(kind, "a")
        self.assertNotEqual(self.version(kind, "a", "b"), first)
        self.world.restore(kind, content)
        self.assertEqual(self.version(kind, "a", "b"), first, "when the content returns")

    @over(ALL, KINDS)
    def test_a_restart_does_not_change_versions(self, kind):
        """As above: not a property of a server's life either, or all clients would be sent all again."""
        self.world.add(kind, "a", "b")
        before = self.version(kind, "a", "b")
        self.server.restart()
        self.world.publish()
        self.assertEqual(self.version(kind, "a", "b"), before)

    @over(SOTW, KINDS)
    def test_each_type_has_a_version_of_its_own(self, kind):
        """«When using the aggregated protocol variants, each resource type has its own version.»"""
        self.world.fill("a")
        before = {each: self.version(each, "a") for each in KINDS}
        self.world.change(kind, "a")
        changed = {each for each in KINDS if self.version(each, "a") != before[each]}
        self.assertEqual(changed, {kind})

    @over(SOTW, ROOTS)
    def test_a_version_changes_when_something_is_added_or_removed(self, kind):
        """It is the version of all that the client is to hold."""
        self.world.add(kind, "a")
        versions = [self.version(kind)]
        self.world.add(kind, "b")
        versions.append(self.version(kind))
        self.world.remove(kind, "a", "b")
        client = self.client()
        client.subscribe(kind)
        versions.append(client.take(kind).version)
        self.assertEqual(len(set(versions)), 3, versions)

    @over(DELTA, KINDS)
    def test_resources_of_different_content_have_different_versions(self, kind):
        """Not one version for all, or a client that reconnects could not tell what it has of what."""
        self.world.add(kind, "a", "b", "c")
        self.assertEqual(len(set(self.version(kind, "a", "b", "c").values())), 3)

    @over(ALL, (CDS,))
    def test_a_hundred_clients_are_told_the_same(self, kind):
        """As above, at the same time and across a change; ten share a connection."""
        self.world.add(kind, "a", "b")
        clients = [self.client() for _ in range(10)]
        clients += [self.client(channel=client.channel) for client in clients for _ in range(9)]
        for client in clients:
            client.subscribe(kind, "a", "b")
        for client in clients:
            client.holding(kind, self.world.of(kind))
        self.world.change(kind, "b")
        for client in clients:
            client.holding(kind, self.world.of(kind))
        told = {(client.of(kind).version, *sorted(client.of(kind).versions.items())) for client in clients}
        self.assertEqual(len(told), 1, told)

    @over(AGGREGATED)
    def test_nonces_differ_between_the_types_of_a_stream(self):
        """«The nonce field is used to pair a response to a request»: one of a stream's responses to one."""
        client, nonces = self.client(), []
        self.world.fill("a")
        for kind in KINDS:
            client.subscribe(kind, "a")
            nonces.append(client.take(kind).nonce)
        for kind in (EDS, LDS, RDS):
            self.world.change(kind, "a")
            nonces.append(client.take(kind).nonce)
        self.assertEqual(len(set(nonces)), 7, nonces)
        self.assertNotIn("", nonces)
