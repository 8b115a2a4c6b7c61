"""ACK and nonces: which answers count, and what they bring with them.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import AGGREGATED, ALL, DELTA, SOTW
from resources import CDS, EDS, KINDS, LDS, RDS


class Acknowledgements(ConformanceTest):
    def subscribed(self, kind, *names):
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        return client

    @over(ALL, KINDS)
    def test_an_answer_that_is_given_twice_does_nothing(self, kind):
        """The second answers nothing that is open."""
        client = self.subscribed(kind, "a")
        self.world.change(kind, "a")
        response = client.take(kind)
        client.ack(response)
        client.nack(response)
        client.quiet()
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))

    @over(ALL, KINDS)
    def test_a_stale_nonce_is_not_answered(self, kind):
        """«The management server should not send a DiscoveryResponse for any DiscoveryRequest that has a stale
        nonce.»"""
        client = self.subscribed(kind, "a")
        self.world.change(kind, "a")
        old = client.take(kind)
        self.world.change(kind, "a")
        new = client.expect(kind)
        client.ack(old)
        client.nack(old)
        client.quiet()
        client.ack(new)
        client.quiet()
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))

    @over(ALL, KINDS)
    def test_a_nonce_that_nobody_gave_is_not_answered(self, kind):
        """It is not the nonce of the newest response, so it is stale."""
        client = self.subscribed(kind, "a")
        names = ["a"] if self.variant in SOTW else []
        client.send(kind, names, nonce="nobody-gave-this")
        client.quiet()
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))

    @over(ALL, KINDS)
    def test_a_name_that_is_added_with_a_stale_nonce_is_sent(self, kind):
        """«The server must honor changes to the subscription state even if the nonce is stale.» In SotW the request may
        be passed over, because the next answer repeats its names (https://github.com/envoyproxy/envoy/issues/10363)."""
        client = self.subscribed(kind, "a")
        old = client.of(kind).nonce
        self.world.change(kind, "a")
        new = client.expect(kind)
        client.remember(kind, ["b"], [])
        names = ["a", "b"] if self.variant in SOTW else ["b"]
        client.send(kind, names, nonce=old)
        client.ack(new)
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_that_is_added_while_a_response_is_not_answered_at_all_is_sent(self, kind):
        """As above, of a client that never answers."""
        client = self.subscribed(kind, "a")
        old = client.of(kind).nonce
        self.world.change(kind, "a")
        unanswered = client.expect(kind)
        self.assertEqual(unanswered.content, self.world.of(kind, "a"))
        client.remember(kind, ["b"], [])
        names = ["a", "b"] if self.variant in SOTW else ["b"]
        client.send(kind, names, nonce=old)
        more = client.expect(kind)
        self.assertIn("b", more.content)
        client.ack(more)
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(DELTA, KINDS)
    def test_a_name_that_is_added_with_the_nonce_of_an_answered_response_is_sent(self, kind):
        """Istio's client names the last nonce when it asks for more."""
        client = self.subscribed(kind, "a")
        client.remember(kind, ["b"], [])
        client.send(kind, ["b"], nonce=client.of(kind).nonce)
        self.assertEqual(client.take(kind).content, self.world.of(kind, "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_a_name_that_is_given_up_with_a_stale_nonce_is_not_updated(self, kind):
        """As above."""
        client = self.subscribed(kind, "a", "b")
        old = client.of(kind).nonce
        self.world.change(kind, "a")
        client.take(kind)
        if self.variant in SOTW:
            client.send(kind, ["a"], nonce=old)
            client.unsubscribe(kind, "b")
        else:
            client.send(kind, unsubscribe=["b"], nonce=old)
        client.settle(kind)
        self.world.change(kind, "b")
        client.quiet()

    @over(ALL, KINDS)
    def test_a_nonce_of_an_earlier_stream_does_not_keep_a_new_one_waiting(self, kind):
        """«The nonce is valid only in the context of an individual xDS stream; it does not survive stream restarts.»"""
        client = self.subscribed(kind, "a")
        nonce = client.of(kind).nonce
        again = self.client()
        again.send(kind, ["a"], nonce=nonce)
        again.remember(kind, ["a"], [])
        again.holding(kind, self.world.of(kind, "a"))
        again.quiet()

    @over(AGGREGATED, ((EDS, CDS), (LDS, RDS), (RDS, EDS)))
    def test_a_nonce_of_one_type_answers_no_other(self, kinds):
        """«All subsequent requests from the client must set the response_nonce field to the most recent nonce received
        from the server on that stream», and each type is a stream."""
        one, other = kinds
        self.world.fill("a")
        client = self.client()
        for kind in sorted(kinds, key=KINDS.index):  # endpoints before their cluster would be sent twice
            client.subscribe(kind, "a")
            client.holding(kind, self.world.of(kind))
        self.world.change(one, "a")
        response = client.expect(one)
        client.send(other, ["a"] if self.variant in SOTW else [], nonce=response.nonce)
        client.ack(response)
        client.quiet()
        for kind in kinds:
            self.world.change(kind, "a")
            client.holding(kind, self.world.of(kind))

    @over(AGGREGATED, KINDS)
    def test_what_is_asked_for_does_not_wait_for_an_answer_of_another_type(self, kind):
        """«Each resource type is treated as a separate logical stream»: here nothing is ever answered."""
        client = self.client()
        self.world.fill("a", "b")
        client.subscribe(kind, "a")
        client.expect(kind)
        for each in KINDS:
            if each != kind:
                client.subscribe(each, "a")
                self.assertEqual(client.expect(each).content, self.world.of(each, "a"))

    @over(AGGREGATED, KINDS)
    def test_a_change_does_not_wait_for_ever_for_an_answer_of_another_type(self, kind):
        """As above. A server may keep the order of types by waiting for answers, and a client that never gives one is
        wrong; the others of its types go on all the same."""
        self.world.fill("a")
        client, others = self.client(), [each for each in KINDS if each != kind]
        for each in KINDS:
            client.subscribe(each, "a")
            client.expect(each) if each is kind else client.take(each)
        for each in others:
            self.world.change(each, "a")
            client.holding(each, self.world.of(each))

    @over(SOTW, KINDS)
    def test_a_request_without_a_nonce_in_the_middle_counts(self, kind):
        """xds-test-harness says so when it asks for more; a client that sent it before the first answer came looks the
        same."""
        client = self.subscribed(kind, "a")
        client.remember(kind, ["b"], [])
        client.send(kind, ["a", "b"])
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()
