"""Which resources a client gets that asks for them by name.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import itertools

from case import ConformanceTest, over
from client import AGGREGATED, ALL, DELTA, SOTW
from resources import KINDS, LEAVES, ROOTS


class Subscriptions(ConformanceTest):
    def subscribed(self, kind, *names):
        """A client that holds these names, of a world that has a, b, c and d."""
        self.world.add(kind, "a", "b", "c", "d")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        return client

    @over(ALL, KINDS)
    def test_names_are_answered_with_exactly_these(self, kind):
        """«The management server must supply the requested resources if they exist.»"""
        client = self.subscribed(kind, "a", "c")
        client.quiet()

    @over(SOTW, ROOTS)
    def test_all_names_are_in_one_response(self, kind):
        """«For LDS and CDS resources, the server must return all resources that the client has subscribed to.»"""
        self.world.add(kind, "a", "b", "c", "d")
        client = self.client()
        client.subscribe(kind, "a", "b", "d")
        self.assertEqual(client.expect(kind).content, self.world.of(kind, "a", "b", "d"))

    @over(ALL, KINDS)
    def test_names_that_are_added_one_by_one_are_each_answered(self, kind):
        """«When the client sends a new request that changes the set of resources being requested, the server must
        resend any newly requested resources.»"""
        self.world.add(kind, "a", "b", "c", "d")
        client, names = self.client(), ""
        for name in "abcd":
            names += name
            client.subscribe(kind, name)
            response = client.take(kind)
            self.assertIn(name, response.names)
            self.assertLessEqual(response.names, set(names))
            self.assertEqual(client.held(kind), self.world.of(kind, *names))
            if self.variant in DELTA:
                self.assertEqual(response.names, {name}, "what did not change is not sent again")
        client.quiet()

    @over(ALL, KINDS)
    def test_a_second_request_before_the_first_answer_counts(self, kind):
        """«New DiscoveryRequests supersede any prior DiscoveryRequests having the same resource type.»"""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, "a")
        client.subscribe(kind, "b")
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_hundred_requests_without_waiting_are_all_honoured(self, kind):
        """As above: whatever was answered in between, the client ends with all that it asked for."""
        names = [f"name-{number}" for number in range(100)]
        self.world.add(kind, *names)
        client = self.client()
        for name in names:
            client.subscribe(kind, name)
        client.holding(kind, self.world.of(kind))

    @over(ALL, KINDS)
    def test_a_name_that_is_added_by_an_ACK_is_answered(self, kind):
        """«Envoy may update the list of resource_names in each DiscoveryRequest that ACK/NACKs a response.»"""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, "a")
        client.ack(client.expect(kind), subscribe=["b"])
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_that_is_given_twice_in_a_request_is_sent_once(self, kind):
        """«It is an error for a server to send a single response that contains the same resource name twice.»"""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.send(kind, ["a", "b", "a", "a"])
        client.remember(kind, ["a", "b"], [])
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_what_nobody_asked_for_is_not_sent_when_it_changes_or_appears(self, kind):
        """An ACK of named resources has no names of its own in delta, and is no wildcard."""
        client = self.subscribed(kind, "a")
        self.world.change(kind, "b")
        self.world.add(kind, "e")
        self.world.remove(kind, "c")
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_name_that_is_asked_for_again_is_always_answered(self, kind):
        """«A resource_names_subscribe field may contain resource names that the server believes the client is already
        subscribed to, and furthermore has the most recent versions of. However, the server must still provide those
        resources in the response.»"""
        client = self.subscribed(kind, "a", "b")
        for _ in range(2):
            client.subscribe(kind, "a")
            self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_name_that_is_asked_for_again_before_the_ACK_is_answered(self, kind):
        """As above, while the first answer is on its way."""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "a")
        first = client.expect(kind)
        client.subscribe(kind, "a")
        client.ack(first)
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        client.quiet()

    @over(SOTW, KINDS)
    def test_the_order_of_names_means_nothing(self, kind):
        """The names of a request are a set."""
        client = self.subscribed(kind, "a", "b", "c")
        now = client.of(kind)
        client.send(kind, ["c", "a", "b"], version=now.version, nonce=now.nonce)
        client.send(kind, ["b", "b", "a", "c"], version=now.version, nonce=now.nonce)
        client.quiet()

    @over(ALL, KINDS)
    def test_an_empty_name_is_not_a_wildcard(self, kind):
        """xds-test-harness gives up all names by asking for the name \"\"."""
        client = self.subscribed(kind, "a")
        client.say(kind, subscribe=[""], unsubscribe=["a"])
        self.assertEqual([name for response in client.settle(kind) for name in response.names], [])
        self.world.change(kind, "a", "b")
        client.quiet()

    @over(ALL, LEAVES)
    def test_an_empty_first_request_does_no_harm(self, kind):
        """Only listeners and clusters have a wildcard, says one sentence; «a given resource type», says another. Names
        are answered afterwards in any case."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind)
        client.settle(kind)
        client.subscribe(kind, "a")
        self.assertIn("a", client.take(kind).names)

    @over(ALL, LEAVES)
    def test_a_star_does_no_harm(self, kind):
        """As above: «for Listener and Cluster resource types, there is also a wildcard subscription»."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "*")
        client.settle(kind)
        client.subscribe(kind, "a")
        self.assertIn("a", client.take(kind).names)

    @over(AGGREGATED)
    def test_types_are_answered_in_whatever_order_they_are_asked_for(self):
        """An answer does not wait for a type that nobody asked for yet."""
        self.world.fill("a")
        for order in itertools.permutations(KINDS):
            client = self.client()
            for kind in order:
                client.subscribe(kind, "a")
                self.assertEqual(client.take(kind).content, self.world.of(kind))
            client.close()

    @over(AGGREGATED)
    def test_types_that_are_asked_for_at_once_are_all_answered(self):
        """As above, before anything was read."""
        self.world.fill("a")
        for order in itertools.permutations(KINDS):
            client = self.client()
            for kind in order:
                client.subscribe(kind, "a")
            for kind in KINDS:
                client.holding(kind, self.world.of(kind))
            client.close()
