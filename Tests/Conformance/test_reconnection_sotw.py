"""Clients that come back with a version of everything.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import SOTW
from resources import KINDS, LEAVES, ROOTS


class ReconnectionSotW(ConformanceTest):
    def gone(self, kind, *names):
        """A client that held these names, or all, of a world that has a, b and c; it is not connected any more."""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        return self.reconnected(client)

    @over(SOTW, KINDS)
    def test_a_current_version_is_answered_rightly_or_not_at_all(self, kind):
        """«Servers may decide to optimize by not resending resources that the client had already seen.»"""
        client = self.gone(kind, "a", "b")
        client.resume(kind)
        for response in client.settle(kind):
            self.assertEqual(response.content, self.world.of(kind, "a", "b"))
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a", "b"))

    @over(SOTW, ROOTS)
    def test_what_is_removed_after_a_current_version_is_told(self, kind):
        """A client that was not sent anything holds something all the same."""
        client = self.gone(kind)
        client.resume(kind)
        client.settle(kind)
        self.world.remove(kind, "b")
        client.holding(kind, self.world.of(kind))

    @over(SOTW, KINDS)
    def test_a_current_version_with_a_new_name_is_answered(self, kind):
        """«... but only if they know that the client is not subscribing to a new resource that it was not previously
        subscribed to.»"""
        client = self.gone(kind, "a")
        client.remember(kind, ["b"], [])
        client.resume(kind)
        client.holding(kind, self.world.of(kind, "a", "b"))

    @over(SOTW, ROOTS)
    def test_a_version_of_names_is_not_that_of_everything(self, kind):
        """As above."""
        client = self.gone(kind, "a")
        again = self.client()
        again.send(kind, version=client.of(kind).version)
        again.remember(kind, [], [])
        again.holding(kind, self.world.of(kind))

    @over(SOTW, LEAVES)
    def test_a_version_of_everything_after_names_is_current(self, kind):
        """As the first: a server that does not resend what is current does not after such a change either."""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, "a", "b")
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.say(kind, subscribe=["*"], unsubscribe=["a", "b"])
        client.holding(kind, self.world.of(kind))
        client.settle(kind)
        again = self.reconnected(client)
        again.resume(kind)
        again.quiet()

    @over(SOTW, KINDS)
    def test_a_version_that_is_not_current_is_answered(self, kind):
        """«Containing any resources that the client has subscribed to that have changed since the last version that the
        client indicated it has seen.»"""
        client = self.gone(kind, "a", "b")
        self.world.change(kind, "b")
        client.resume(kind)
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(SOTW, KINDS)
    def test_thirty_changed_removed_and_new_of_hundreds(self, kind):
        """As above. A version says nothing of single resources: what there is comes, each once, and nothing that is
        gone."""
        old, new = ([f"{age}-{number:03}" for number in range(count)] for age, count in (("old", 300), ("new", 30)))
        self.world.add(kind, *old)
        client = self.client()
        client.subscribe(kind, *old, *new)
        client.holding(kind, self.world.of(kind))
        client = self.reconnected(client)
        with self.world.together():
            self.world.change(kind, *old[100:130])
            self.world.remove(kind, *old[200:230])
            self.world.add(kind, *new)
        client.resume(kind)
        response = client.take(kind)
        self.assertEqual(response.content, self.world.of(kind))
        client.quiet()

    @over(SOTW, KINDS)
    def test_a_version_that_nobody_gave_is_answered_with_all(self, kind):
        """«Each xDS server will have a different notion of version.»"""
        self.world.add(kind, "a", "b")
        for version in ("1", "nobody-gave-this", "0" * 32, "ü" * 500):
            client = self.client()
            client.remember(kind, ["a", "b"], [])
            client.send(kind, ["a", "b"], version=version)
            client.holding(kind, self.world.of(kind))

    @over(SOTW, ROOTS)
    def test_a_client_whose_resources_are_gone_is_told(self, kind):
        """«A response containing no resources means to delete all resources of that type.»"""
        client = self.gone(kind)
        self.world.remove(kind, "a", "b", "c")
        client.resume(kind)
        self.assertEqual(client.take(kind).content, {})
        client.quiet()

    @over(SOTW, KINDS)
    def test_a_name_that_was_missing_all_the_time_is_sent_when_it_appears(self, kind):
        """«Management servers must remember the set of resources being requested», also if nothing was sent."""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "a", "late")
        client.holding(kind, self.world.of(kind))
        again = self.reconnected(client)
        again.resume(kind)
        again.settle(kind)
        self.world.add(kind, "late")
        again.holding(kind, self.world.of(kind))

    @over(SOTW, KINDS)
    def test_a_client_that_comes_back_and_refuses_gets_what_changes_next(self, kind):
        """«After a NACK, an API update may succeed at a new version Y.»"""
        client = self.gone(kind, "a", "b")
        self.world.change(kind, "b")
        client.resume(kind)
        client.nack(client.expect(kind))
        client.settle(kind)
        for name in ("a", "b"):
            self.world.change(kind, name)
            client.take(kind)
            self.assertEqual(client.held(kind)[name], self.world.of(kind)[name])
        self.assertEqual(client.held(kind), self.world.of(kind, "a", "b"))
