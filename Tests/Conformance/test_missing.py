"""Names that do not exist, not yet or not any more.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import ALL, DELTA, SOTW
from resources import KINDS, LEAVES, ROOTS


class Missing(ConformanceTest):
    @over(DELTA, KINDS)
    def test_a_name_that_does_not_exist_is_told_at_once(self, kind):
        """«When a resource subscribed to by a client does not exist, the server will send a DeltaDiscoveryResponse
        message that contains that resource's name in the removed_resources field.»"""
        client = self.client()
        client.subscribe(kind, "missing")
        response = client.take(kind)
        self.assertEqual((response.removed, response.content), (["missing"], {}))
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_missing_name_that_is_asked_for_again_is_told_again(self, kind):
        """«The server must still provide those resources in the response», and here the answer is that there is
        none."""
        client = self.client()
        for _ in range(2):
            client.subscribe(kind, "missing")
            self.assertEqual(client.take(kind).removed, ["missing"])
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_is_sent_when_it_appears(self, kind):
        """«Management servers must remember the set of resources being requested by the client, and if one of those
        resources springs into existence later, the server must send an update to the client.»"""
        client = self.client()
        client.subscribe(kind, "late")
        client.settle(kind)
        self.assertEqual(client.held(kind), {})
        self.world.add(kind, "late", "other")
        client.holding(kind, self.world.of(kind, "late"))
        client.quiet()

    @over(ALL, KINDS)
    def test_what_exists_does_not_wait_for_what_does_not(self, kind):
        """xds-test-harness: when subscribing to resources that don't exist, receive those that do."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "late")
        taken = client.holding(kind, self.world.of(kind, "a"))
        taken += client.settle(kind)
        if self.variant in DELTA:
            self.assertEqual([name for response in taken for name in response.removed], ["late"])
        self.world.add(kind, "late")
        response = client.take(kind)
        self.assertEqual(client.held(kind), self.world.of(kind, "a", "late"))
        if self.variant in DELTA:
            self.assertEqual(response.names, {"late"})
        client.quiet()

    @over(ALL, KINDS)
    def test_a_missing_name_that_was_given_up_is_not_sent_when_it_appears(self, kind):
        """Nobody waits for it any more."""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "a", "late")
        client.settle(kind)
        client.unsubscribe(kind, "late")
        client.settle(kind)
        self.world.add(kind, "late")
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_named_resource_that_is_removed_is_told_and_sent_when_it_returns(self, kind):
        """«The server signals the client that a resource should be deleted via the removed_resources field.»"""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        client.holding(kind, self.world.of(kind))
        before = self.world.of(kind)
        self.world.remove(kind, "b")
        response = client.take(kind)
        self.assertEqual((response.removed, response.content), (["b"], {}))
        self.world.add(kind, "b")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "b"))
        self.world.remove(kind, "b")
        self.assertEqual(client.take(kind).removed, ["b"])
        self.world.add(kind, "b")
        self.world.restore(kind, before)
        client.holding(kind, before)
        client.quiet()

    @over(SOTW, ROOTS)
    def test_a_named_resource_that_is_removed_is_left_out(self, kind):
        """«If a previously seen resource is not present in a new response, that indicates that the resource has been
        removed.»"""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        client.holding(kind, self.world.of(kind))
        self.world.remove(kind, "b")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        self.world.remove(kind, "a")
        self.assertEqual(client.take(kind).content, {})
        client.quiet()
        self.world.add(kind, "b")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "b"))

    @over(SOTW, LEAVES)
    def test_a_named_resource_that_is_removed_and_returns_is_sent(self, kind):
        """«For other resource types, the API provides no mechanism for the server to tell the client that resources
        have been deleted», and «an empty DiscoveryResponse is effectively a no-op»."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        client.holding(kind, self.world.of(kind))
        self.world.remove(kind, "b")
        for response in client.settle(kind):
            self.assertNotIn("b", response.names)
        self.world.add(kind, "b")
        client.holding(kind, self.world.of(kind))
        client.quiet()

    @over(ALL, KINDS)
    def test_other_changes_flow_while_a_name_is_missing(self, kind):
        """A client that waits for a name is not a client that waits."""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "a", "late")
        client.holding(kind, self.world.of(kind))
        client.settle(kind)
        for _ in range(3):
            self.world.change(kind, "a")
            client.holding(kind, self.world.of(kind))

    @over(DELTA, ROOTS)
    def test_a_missing_name_beside_the_wildcard_is_told(self, kind):
        """A name is a subscription of its own, and «when a resource subscribed to does not exist», it is told."""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "*", "missing")
        taken = client.holding(kind, self.world.of(kind)) + client.settle(kind)
        self.assertEqual([name for response in taken for name in response.removed], ["missing"])
