"""Names that are given up, and asked for again.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import ALL, DELTA, SOTW
from resources import KINDS


class Unsubscriptions(ConformanceTest):
    def subscribed(self, kind, *names):
        """A client that holds these names, of a world that has a, b, c and d."""
        self.world.add(kind, "a", "b", "c", "d")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        return client

    @over(ALL, KINDS)
    def test_a_name_that_is_given_up_is_not_updated(self, kind):
        """«Unsubscribing to a set of resources is done by sending a new request containing all resource names that are
        still being subscribed to»; «resources can be unsubscribed to via the resource_names_unsubscribe field.»"""
        client = self.subscribed(kind, "a", "b")
        client.unsubscribe(kind, "b")
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over(ALL, KINDS)
    def test_giving_up_a_name_needs_no_answer(self, kind):
        """«A server does not need to send any response if a request does nothing except unsubscribe.» Of a type that is
        sent whole it may send what is left."""
        client = self.subscribed(kind, "a", "b")
        client.unsubscribe(kind, "b")
        if self.variant in SOTW and kind.is_whole:
            for response in client.settle(kind):
                self.assertEqual(response.content, self.world.of(kind, "a"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_that_is_given_up_by_an_ACK_is_not_updated(self, kind):
        """As above, in the request that answers the response."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        client.ack(client.expect(kind), unsubscribe=["b"])
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_that_is_given_up_and_asked_for_again_is_sent_again(self, kind):
        """«The server must resend any newly requested resources, even if it previously sent those resources without
        having been asked for them and the resources have not changed since that time.»"""
        client = self.subscribed(kind, "a", "b")
        client.unsubscribe(kind, "b")
        client.settle(kind)
        client.subscribe(kind, "b")
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_the_only_name_that_is_given_up_and_asked_for_again_is_sent_again(self, kind):
        """As above, with nothing left in between."""
        client = self.subscribed(kind, "a")
        client.unsubscribe(kind, "a")
        self.assertEqual(client.held(kind), {})
        client.subscribe(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_that_changed_while_it_was_given_up_is_sent_as_it_is_now(self, kind):
        """As above."""
        client = self.subscribed(kind, "a", "b")
        client.unsubscribe(kind, "b")
        client.settle(kind)
        self.world.change(kind, "b")
        client.subscribe(kind, "b")
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_that_is_given_up_while_it_is_on_its_way_is_given_up(self, kind):
        """The ACK of the response comes after, and is no new subscription; the name can be asked for again."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        response = client.expect(kind)
        client.unsubscribe(kind, "b")
        client.ack(response)
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()
        client.subscribe(kind, "b")
        client.holding(kind, self.world.of(kind, "a", "b"))

    @over(ALL, KINDS)
    def test_one_name_can_be_exchanged_for_another_in_a_request(self, kind):
        """The new one is sent, the old one is not updated any more."""
        client = self.subscribed(kind, "a", "b")
        client.say(kind, subscribe=["c"], unsubscribe=["b"])
        client.holding(kind, self.world.of(kind, "a", "c"))
        self.world.change(kind, "b")
        client.quiet()

    @over(ALL, KINDS)
    def test_nothing_is_wanted_after_the_last_name_is_given_up(self, kind):
        """«If the list of resource names becomes empty, that means that the client is no longer interested in any
        resources of the specified type», and not that it wants all."""
        client = self.subscribed(kind, "a", "b")
        client.unsubscribe(kind, "a", "b")
        client.settle(kind)
        self.assertEqual(client.held(kind), {})
        self.world.change(kind, "a", "b", "c")
        self.world.add(kind, "e")
        client.quiet()

    @over(ALL, KINDS)
    def test_names_can_be_asked_for_after_the_last_was_given_up(self, kind):
        """The stream lives on."""
        client = self.subscribed(kind, "a")
        client.unsubscribe(kind, "a")
        client.settle(kind)
        client.subscribe(kind, "b")
        client.holding(kind, self.world.of(kind, "b"))
        client.quiet()

    @over(DELTA, KINDS)
    def test_giving_up_a_name_that_was_never_asked_for_does_nothing(self, kind):
        """«The server must cleanly process such a request; it can simply ignore these phantom unsubscriptions.»"""
        client = self.subscribed(kind, "a")
        client.unsubscribe(kind, "b", "nobody-has-this")
        client.quiet()
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over(DELTA, KINDS)
    def test_a_name_that_is_asked_for_twice_is_given_up_once(self, kind):
        """A subscription is there or not, and not counted."""
        client = self.subscribed(kind, "a")
        client.subscribe(kind, "a")
        client.take(kind)
        client.unsubscribe(kind, "a")
        client.settle(kind)
        self.world.change(kind, "a")
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_name_asked_for_and_given_up_in_one_request_is_one_or_the_other(self, kind):
        """The specification does not say which of the two wins. Whichever does, it is not half of each."""
        client = self.subscribed(kind, "b")
        client.send(kind, subscribe=["a"], unsubscribe=["a"])
        sent = {name for response in client.settle(kind) for name in response.names}
        self.assertLessEqual(sent, {"a"})
        self.world.change(kind, "a")
        self.assertEqual({name for response in client.settle(kind) for name in response.names}, sent)
        self.world.change(kind, "b")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "b"))

    @over(ALL, KINDS)
    def test_a_name_that_is_gone_given_up_and_asked_for_again_on_its_way_is_gone(self, kind):
        """An answer that holds what is about to be removed may cross the requests. «A response containing no resources
        means to delete all», and one that does not come leaves what is not there."""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "a")
        client.wait()
        self.world.remove(kind, "a")
        client.subscribe(kind, "b")
        client.ack(client.expect(kind))
        client.unsubscribe(kind, "a")
        client.subscribe(kind, "a")
        client.settle(kind)
        if self.variant in DELTA or kind.is_whole:
            self.assertEqual(client.held(kind), {})
