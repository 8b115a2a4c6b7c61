"""The end of a subscription to everything, and what is left of it.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import ALL, DELTA, SOTW
from resources import ROOTS


class WildcardEnd(ConformanceTest):
    def subscribed(self, kind, *names):
        """A client that asked for this and holds all of a world that has a, b and c."""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind))
        return client

    @over(ALL, ROOTS)
    def test_given_up_it_leaves_the_names(self, kind):
        """«Server interprets this as unsubscribing to "*" and continuing the existing subscription to "A".»"""
        client = self.subscribed(kind, "*", "a")
        client.unsubscribe(kind, "*")
        client.settle(kind)
        self.world.change(kind, "b")
        self.world.add(kind, "d")
        client.quiet()
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over(ALL, ROOTS)
    def test_given_up_without_names_nothing_is_wanted(self, kind):
        """«It can only unsubscribe from the wildcard as a whole.»"""
        client = self.subscribed(kind, "*")
        client.unsubscribe(kind, "*")
        client.settle(kind)
        self.world.change(kind, "a")
        self.world.add(kind, "d")
        client.quiet()

    @over(ALL, ROOTS)
    def test_given_up_and_asked_for_again_everything_is_sent_again(self, kind):
        """«The server must resend any newly requested resources.»"""
        client = self.subscribed(kind, "*")
        client.unsubscribe(kind, "*")
        client.settle(kind)
        client.subscribe(kind, "*")
        client.holding(kind, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_it_can_be_exchanged_for_a_name_in_one_request(self, kind):
        """The name is a new subscription and is answered."""
        client = self.subscribed(kind, "*")
        client.say(kind, subscribe=["a"], unsubscribe=["*"])
        self.assertIn("a", client.take(kind).names)
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over(SOTW, ROOTS)
    def test_the_example_of_the_specification_for_SotW(self, kind):
        """«For example, in SotW»: nothing; "*" and "A"; "A"; nothing, which is not the wildcard again."""
        client = self.subscribed(kind)
        client.subscribe(kind, "*", "a")
        client.settle(kind)
        self.world.change(kind, "b")
        client.holding(kind, self.world.of(kind))
        client.unsubscribe(kind, "*")
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        client.unsubscribe(kind, "a")
        client.settle(kind)
        self.world.change(kind, "a", "b")
        client.quiet()

    @over(SOTW, ROOTS)
    def test_a_name_ends_the_wildcard_without_a_star(self, kind):
        """«Once the client does explicitly subscribe to a resource name, this legacy semantic is no longer available;
        at that point, clearing the list of subscribed resources is interpreted as an unsubscription.»"""
        client = self.subscribed(kind)
        client.subscribe(kind, "a")
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()
        client.unsubscribe(kind, "a")
        client.settle(kind)
        self.world.change(kind, "a", "b")
        client.quiet()

    @over(DELTA, ROOTS)
    def test_the_example_of_the_specification_for_incremental(self, kind):
        """«And in incremental»: nothing; subscribe "A"; unsubscribe "*"; unsubscribe "A", which is not the wildcard."""
        client = self.subscribed(kind)
        client.subscribe(kind, "a")
        client.take(kind)
        self.world.change(kind, "b")
        client.holding(kind, self.world.of(kind))
        client.unsubscribe(kind, "*")
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        client.unsubscribe(kind, "a")
        client.settle(kind)
        self.world.change(kind, "a", "b")
        client.quiet()

    @over(DELTA, ROOTS)
    def test_a_name_given_up_beside_it_is_answered_with_the_resource(self, kind):
        """«The server must send a response that includes the specific resource in the resources field (if it is
        included in the wildcard)», because the client does not know whether to keep it."""
        client = self.subscribed(kind, "*", "a")
        client.unsubscribe(kind, "a")
        response = client.take(kind)
        self.assertEqual((response.content, response.removed), (self.world.of(kind, "a"), []))
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind))
        client.quiet()

    @over(DELTA, ROOTS)
    def test_a_name_given_up_beside_it_is_answered_with_its_removal(self, kind):
        """«... or in the removed_resources field (if it is not included in the wildcard).»"""
        client = self.subscribed(kind, "*")
        client.subscribe(kind, "nobody-has-this")
        self.assertEqual(client.take(kind).removed, ["nobody-has-this"])
        client.unsubscribe(kind, "nobody-has-this")
        response = client.take(kind)
        self.assertEqual((response.content, response.removed), ({}, ["nobody-has-this"]))
        client.quiet()

    @over(DELTA, ROOTS)
    def test_a_name_given_up_beside_the_older_form_is_answered_too(self, kind):
        """As above: «continuing the existing subscription to "*" and adding a new subscription to "A"»."""
        client = self.subscribed(kind)
        client.subscribe(kind, "a")
        client.take(kind)
        client.unsubscribe(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))
        self.world.change(kind, "a", "b")
        client.holding(kind, self.world.of(kind))

    @over(DELTA, ROOTS)
    def test_giving_it_up_without_having_it_does_nothing(self, kind):
        """«It can simply ignore these phantom unsubscriptions.»"""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a")
        client.take(kind)
        client.unsubscribe(kind, "*")
        client.quiet()
        self.world.change(kind, "a", "b")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over(DELTA, ROOTS)
    def test_asked_for_twice_it_is_given_up_once(self, kind):
        """A subscription is there or not, and not counted."""
        client = self.subscribed(kind, "*")
        client.subscribe(kind, "*")
        client.settle(kind)
        client.unsubscribe(kind, "*")
        client.settle(kind)
        self.world.change(kind, "a")
        client.quiet()

    @over(DELTA, ROOTS)
    def test_a_first_request_that_only_gives_up_does_no_harm(self, kind):
        """Whether it is the older form of the wildcard the specification says both ways: «never sent a request with a
        non-empty resource_names_subscribe», and «no resources in both» fields."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.unsubscribe(kind, "a")
        client.settle(kind)
        client.subscribe(kind, "b")
        self.assertIn("b", client.take(kind).names)
