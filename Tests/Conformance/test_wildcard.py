"""Everything of a type: `*`, and the older form, a first request without names.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import ALL, SOTW
from resources import ROOTS


class Wildcard(ConformanceTest):
    def subscribed(self, kind, *names):
        """A client that asked for this and holds all of a world that has a, b and c."""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind))
        return client

    @over(ALL, ROOTS)
    def test_an_empty_first_request_is_answered_with_everything(self, kind):
        """«If the client has never explicitly subscribed to any resource names, the server should treat that
        identically to how it would treat the client having explicitly subscribed to "*".»"""
        client = self.subscribed(kind)
        client.quiet()

    @over(ALL, ROOTS)
    def test_a_star_is_answered_with_everything(self, kind):
        """«A "wildcard" subscription, which is triggered when subscribing to the special name "*".»"""
        client = self.subscribed(kind, "*")
        client.quiet()

    @over(ALL, ROOTS)
    def test_a_star_and_names_are_answered_with_everything_once(self, kind):
        """The two kinds of subscription overlap."""
        client = self.subscribed(kind, "b", "*", "a")
        client.quiet()

    @over(SOTW, ROOTS)
    def test_everything_is_in_one_response(self, kind):
        """«The server must include the complete state of the world.»"""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind)
        self.assertEqual(client.expect(kind).content, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_nothing_at_all_is_answered_with_nothing(self, kind):
        """A client that starts waits for the answer: «if management server does not provide responses, Envoy will not
        initialize itself»; «a response containing no resources means to delete all resources of that type»."""
        for names in ([], ["*"]):
            client = self.client()
            client.subscribe(kind, *names)
            response = client.take(kind)
            self.assertEqual((response.content, response.removed), ({}, []))
            self.world.add(kind, "a")
            client.holding(kind, self.world.of(kind))
            self.world.remove(kind, "a")
            client.holding(kind, {})

    @over(ALL, ROOTS)
    def test_it_goes_on_through_requests_without_names(self, kind):
        """«In SotW, all requests on the stream for that resource type have had an empty resource_names field»: then it
        is a wildcard still."""
        client = self.subscribed(kind)
        client.say(kind)
        client.quiet()
        self.world.add(kind, "d")
        client.holding(kind, self.world.of(kind))
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_a_name_beside_it_is_sent_again(self, kind):
        """«The server must resend any newly requested resources, even if it previously sent those resources without
        having been asked for them and the resources have not changed since that time.»"""
        client = self.subscribed(kind, "*")
        client.subscribe(kind, "a")
        self.assertIn("a", client.take(kind).names)
        self.assertEqual(client.held(kind), self.world.of(kind))
        client.quiet()

    @over(ALL, ROOTS)
    def test_a_change_of_a_name_beside_it_is_sent_once(self, kind):
        """What is subscribed to twice is one resource."""
        client = self.subscribed(kind, "*", "a")
        self.world.change(kind, "a")
        self.assertEqual(client.take(kind).content["a"], self.world.of(kind)["a"])
        client.quiet()

    @over(ALL, ROOTS)
    def test_asked_for_after_names_it_brings_the_rest(self, kind):
        """A new subscription to everything."""
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))
        client.subscribe(kind, "*")
        client.holding(kind, self.world.of(kind))
        self.world.add(kind, "d")
        client.holding(kind, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_a_name_beside_it_that_is_gone_while_it_is_on_its_way_is_gone(self, kind):
        """An answer that holds what is about to be removed may cross the request that names it."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "*")
        client.wait()
        self.world.remove(kind, "a")
        client.subscribe(kind, "a")
        client.settle(kind)
        self.assertEqual(client.held(kind), self.world.of(kind))
