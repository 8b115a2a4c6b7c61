"""What is sent when the world changes, and what is not.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import json

from case import ConformanceTest, over
from client import ALL, DELTA, SOTW
from resources import KINDS, LEAVES, ROOTS


class Updates(ConformanceTest):
    def subscribed(self, kind, *names):
        """A client that holds these names, or all, of a world that has a, b, c and d."""
        self.world.add(kind, "a", "b", "c", "d")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        return client

    @over(ALL, KINDS)
    def test_nothing_comes_after_an_ACK(self, kind):
        """«The management server should only send updates to the Envoy client when the resources in the
        DiscoveryResponse have changed.»"""
        self.subscribed(kind, "a", "b").quiet()

    @over(ALL, KINDS)
    def test_a_change_of_a_named_resource_is_sent(self, kind):
        """«The server may send additional responses at any time when the subscribed resources change.»"""
        client = self.subscribed(kind, "a", "b")
        self.world.change(kind, "a")
        response = client.take(kind)
        self.assertEqual(client.held(kind), self.world.of(kind, "a", "b"))
        if self.variant in DELTA:
            self.assertEqual(response.names, {"a"}, "only what changed")
        elif kind.is_whole:
            self.assertEqual(response.names, {"a", "b"}, "all that the client subscribed to")
        client.quiet()

    @over(ALL, ROOTS)
    def test_a_change_under_the_wildcard_is_sent(self, kind):
        """«It must resend all 100 of them, even the 99 that were not modified»; in incremental, «it may send a response
        containing only the changed resource»."""
        client = self.subscribed(kind)
        self.world.change(kind, "c")
        expected = self.world.of(kind) if self.variant in SOTW else self.world.of(kind, "c")
        self.assertEqual(client.take(kind).content, expected)
        client.quiet()

    @over(ALL, ROOTS)
    def test_what_is_added_under_the_wildcard_is_sent(self, kind):
        """xds-test-harness: wildcard subscriptions receive updates when new resources are added."""
        client = self.subscribed(kind)
        self.world.add(kind, "e")
        expected = self.world.of(kind) if self.variant in SOTW else self.world.of(kind, "e")
        self.assertEqual(client.take(kind).content, expected)
        client.quiet()

    @over(ALL, ROOTS)
    def test_what_is_removed_under_the_wildcard_is_told(self, kind):
        """SotW by leaving it out, incremental by removed_resources."""
        client = self.subscribed(kind)
        self.world.remove(kind, "b")
        response = client.take(kind)
        self.assertEqual(client.held(kind), self.world.of(kind))
        if self.variant in DELTA:
            self.assertEqual((response.content, response.removed), ({}, ["b"]))
        client.quiet()

    @over(ALL, ROOTS)
    def test_the_removal_of_everything_is_told(self, kind):
        """«A response containing no resources means to delete all resources of that type.»"""
        client = self.subscribed(kind)
        self.world.remove(kind, "a", "b", "c", "d")
        response = client.take(kind)
        self.assertEqual(client.held(kind), {})
        if self.variant in DELTA:
            self.assertEqual(sorted(response.removed), ["a", "b", "c", "d"])
        client.quiet()

    @over(ALL, ROOTS)
    def test_addition_change_and_removal_in_one_publication_all_arrive(self, kind):
        """Nothing of a change is lost beside another part of it."""
        client = self.subscribed(kind)
        with self.world.together():
            self.world.add(kind, "e")
            self.world.change(kind, "a")
            self.world.remove(kind, "b")
        client.holding(kind, self.world.of(kind))
        client.quiet()

    @over(ALL, KINDS)
    def test_changes_of_several_resources_in_one_publication_all_arrive(self, kind):
        """As above, of named resources."""
        client = self.subscribed(kind, "a", "b", "c")
        self.world.change(kind, "a", "c", "d")
        client.holding(kind, self.world.of(kind, "a", "b", "c"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_change_of_what_nobody_asked_for_sends_nothing(self, kind):
        """«... when the resources in the DiscoveryResponse have changed.»"""
        client = self.subscribed(kind, "a", "b")
        self.world.change(kind, "c", "d")
        client.quiet()

    @over(ALL, KINDS)
    def test_a_change_of_another_type_sends_nothing(self, kind):
        """«The resource type instance version is separate for each resource type.»"""
        client = self.subscribed(kind, "a", "b")
        others = [each for each in KINDS if each != kind]
        with self.world.together():
            for each in others:
                self.world.add(each, "other")
                self.world.change(each, *self.world.of(each))
        client.quiet()

    @over(ALL, KINDS)
    def test_the_same_state_published_again_sends_nothing(self, kind):
        """«If the management server provides the same set of resources rather than waiting for a change to occur, it
        will cause needless work on both the client and the management server.»"""
        client = self.subscribed(kind, "a", "b")
        self.world.publish()
        for each in KINDS:
            self.world.contents[each] = dict(reversed(self.world.contents[each].items()))
        self.world.publish()
        client.quiet()

    @over(ALL, KINDS)
    def test_a_client_that_keeps_up_ends_with_the_newest_of_many_changes(self, kind):
        """None is lost, though some may be skipped."""
        client = self.subscribed(kind, "a", "b")
        for _ in range(30):
            self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_change_before_the_ACK_is_not_lost(self, kind):
        """A slow client gets what came to be while it thought."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        slow = client.expect(kind)
        self.world.change(kind, "b")
        client.ack(slow)
        client.holding(kind, self.world.of(kind))
        client.quiet()

    @over(ALL, KINDS)
    def test_changes_before_the_ACK_arrive_as_one(self, kind):
        """Not the specification's words, which let a server send at any time, but what keeps a slow client from being
        buried: it is sent the newest, once."""
        client = self.subscribed(kind, "a", "b")
        self.world.change(kind, "a")
        slow = client.expect(kind)
        for _ in range(10):
            self.world.change(kind, "a")
            self.world.change(kind, "b")
        client.ack(slow)
        client.take(kind)
        self.assertEqual(client.held(kind), self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_what_was_published_is_what_the_next_request_is_answered_with(self, kind):
        """PUT /state answers when the state is published: no request that comes later is answered with what was before
        it, and in incremental nobody is told that there is none."""
        client = self.client()
        for number in range(30):
            name = f"name-{number}"
            self.world.add(kind, name)
            client.subscribe(kind, name)
            self.assertIn(name, client.take(kind).names)
        client.quiet()

    @over(ALL, KINDS)
    def test_a_change_that_is_undone_before_the_ACK_ends_where_it_began(self, kind):
        """The client holds the changed one by then: it has to be sent the first again."""
        client = self.subscribed(kind, "a", "b")
        before = self.world.of(kind)
        self.world.change(kind, "a")
        slow = client.expect(kind)
        self.world.restore(kind, before)
        client.ack(slow)
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(DELTA, KINDS)
    def test_what_is_removed_before_the_ACK_is_told(self, kind):
        """A removal of what is still on its way."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        slow = client.expect(kind)
        self.world.remove(kind, "b")
        client.ack(slow)
        client.holding(kind, self.world.of(kind, "a"))
        client.quiet()

    @over(SOTW, ROOTS)
    def test_what_is_removed_before_the_ACK_is_left_out(self, kind):
        """As above."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind)
        slow = client.expect(kind)
        self.world.remove(kind, "b")
        client.ack(slow)
        client.holding(kind, self.world.of(kind, "a"))
        client.quiet()

    @over(ALL, KINDS)
    def test_what_is_removed_and_returns_before_the_ACK_is_sent_anew(self, kind):
        """The client ends with what is there."""
        client = self.subscribed(kind, "a", "b")
        self.world.change(kind, "a")
        slow = client.expect(kind)
        self.world.remove(kind, "b")
        self.world.add(kind, "b")
        client.ack(slow)
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(SOTW, LEAVES)
    def test_a_response_after_a_removal_does_not_hold_what_was_removed(self, kind):
        """It does not exist any more."""
        client = self.subscribed(kind, "a", "b")
        self.world.remove(kind, "b")
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a") | {"b": client.held(kind)["b"]})
        for response in client.settle(kind):
            self.assertNotIn("b", response.names)

    @over(ALL, KINDS)
    def test_what_goes_and_comes_back_the_same_ends_where_it_began(self, kind):
        """Whether it is told of or passed over."""
        client = self.subscribed(kind, "a", "b")
        state = self.world.state()
        self.world.remove(kind, "b")
        self.assertEqual(self.server.put(json.dumps(state).encode()), 200)
        client.settle(kind)
        self.assertEqual(client.held(kind), {name: client.held(kind)[name] for name in ("a", "b")})
