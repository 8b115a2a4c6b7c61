"""NACK: what a client refuses, and what goes on all the same.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from case import ConformanceTest, over
from client import AGGREGATED, ALL, DELTA, SOTW
from resources import KINDS, LEAVES, ROOTS


class Refusals(ConformanceTest):
    def subscribed(self, kind, *names):
        self.world.add(kind, "a", "b", "c")
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind, *names))
        return client

    def refusing(self, kind, *names):
        """A client that holds these names and has refused a change of a."""
        client = self.subscribed(kind, *names)
        self.world.change(kind, "a")
        client.nack(client.expect(kind))
        return client

    @over(ALL, KINDS)
    def test_what_was_refused_is_not_sent_again(self, kind):
        """«The management server should only send updates when the resources have changed.»"""
        self.refusing(kind, "a").quiet()

    @over(ALL, KINDS)
    def test_a_first_response_that_is_refused_whole_is_not_sent_again_for_ever(self, kind):
        """«It would reply with error_detail populated and its previous version, the empty initial version.» A server
        may try its resources one by one; it comes to rest."""
        self.world.add(kind, "a", "b")
        client = self.client()
        client.subscribe(kind, "a", "b")
        client.nack(client.expect(kind))
        for _ in range(4):  # each alone, and one to spare
            try:
                client.nack(client.expect(kind, timeout=0.5))
            except AssertionError:
                break
        client.quiet()
        self.world.change(kind, "a", "b")
        client.holding(kind, self.world.of(kind))

    @over(ALL, KINDS)
    def test_the_only_resource_that_is_refused_at_first_is_sent_when_it_changes(self, kind):
        """«After a NACK, an API update may succeed at a new version Y.»"""
        self.world.add(kind, "a")
        client = self.client()
        client.subscribe(kind, "a")
        client.nack(client.expect(kind))
        client.quiet()
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind))
        client.quiet()

    @over(ALL, KINDS)
    def test_new_content_of_what_was_refused_is_sent(self, kind):
        """As above, after an accepted version."""
        client = self.refusing(kind, "a", "b")
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a", "b"))
        client.quiet()

    @over(ALL, KINDS)
    def test_every_refusal_in_a_row_is_followed_by_new_content(self, kind):
        """A NACK is no reason to give up on a client."""
        client = self.refusing(kind, "a")
        for _ in range(5):
            self.world.change(kind, "a")
            client.nack(client.expect(kind))
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))

    @over(ALL, KINDS)
    def test_the_old_content_after_a_refusal_may_return(self, kind):
        """The client has it, or has it sent once more; it ends with it."""
        client = self.subscribed(kind, "a")
        before = self.world.of(kind)
        self.world.change(kind, "a")
        client.nack(client.expect(kind))
        self.world.restore(kind, before)
        client.settle(kind)
        self.assertEqual(client.held(kind), self.world.of(kind, "a"))
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))

    @over(ALL, KINDS)
    def test_other_resources_flow_after_a_refusal(self, kind):
        """A resource that a client refuses holds up no other."""
        client = self.refusing(kind, "a", "b")
        self.world.change(kind, "b")
        client.take(kind)
        self.assertEqual(client.held(kind)["b"], self.world.of(kind)["b"])
        if self.variant in SOTW and kind.is_whole:
            self.assertEqual(set(client.held(kind)), {"a", "b"}, "a whole response names what the client keeps")
        client.quiet()

    @over(ALL, ROOTS)
    def test_what_appears_after_a_refusal_is_sent(self, kind):
        """As above, under the wildcard."""
        client = self.refusing(kind)
        self.world.add(kind, "d")
        client.take(kind)
        self.assertEqual(client.held(kind)["d"], self.world.of(kind)["d"])
        self.world.remove(kind, "b")
        client.take(kind)
        self.assertNotIn("b", client.held(kind))

    @over(AGGREGATED, KINDS)
    def test_a_refusal_of_one_type_does_not_touch_the_others(self, kind):
        """«Each resource type is treated as a separate logical stream within the aggregated stream.»"""
        client, others = self.client(), [each for each in KINDS if each != kind]
        self.world.fill("a")
        for each in KINDS:
            client.subscribe(each, "a")
            client.holding(each, self.world.of(each))
        self.world.change(kind, "a")
        client.nack(client.expect(kind))
        for each in others:
            self.world.change(each, "a")
            client.holding(each, self.world.of(each))
            client.settle()  # endpoints follow their cluster

    @over(ALL, KINDS)
    def test_a_name_that_is_added_by_a_NACK_is_answered(self, kind):
        """«Envoy may update the list of resource_names in each DiscoveryRequest that ACK/NACKs a response.»"""
        client = self.subscribed(kind, "a")
        self.world.change(kind, "a")
        client.nack(client.expect(kind), subscribe=["b"])
        client.take(kind)
        self.assertEqual(client.held(kind)["b"], self.world.of(kind)["b"])

    @over(ALL, KINDS)
    def test_a_name_that_is_refused_and_given_up_is_sent_when_asked_for_again(self, kind):
        """«The server must resend any newly requested resources.»"""
        client = self.refusing(kind, "a", "b")
        client.unsubscribe(kind, "a")
        client.settle(kind)
        client.subscribe(kind, "a")
        client.holding(kind, self.world.of(kind, "a", "b"))

    @over(DELTA, KINDS)
    def test_a_name_that_is_refused_and_asked_for_again_is_answered(self, kind):
        """«The server must still provide those resources in the response.»"""
        client = self.refusing(kind, "a")
        client.subscribe(kind, "a")
        self.assertEqual(client.take(kind).content, self.world.of(kind, "a"))

    @over(SOTW, KINDS)
    def test_a_NACK_is_known_by_its_error_and_not_by_its_version(self, kind):
        """«The preferred mechanism for a server to detect a NACK is to look for the presence of the error_detail
        field.» The version of a NACK «may not be an older version», and that of an ACK may be."""
        client = self.subscribed(kind, "a")
        self.world.change(kind, "a")
        response, names = client.expect(kind), ["a"]
        before = client.of(kind).version
        client.send(kind, names, version=before, nonce=response.nonce)
        client.quiet()
        self.world.change(kind, "a")
        response = client.expect(kind)
        client.of(kind).version = response.version
        client.nack(response)
        client.quiet()
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind, "a"))

    @over(DELTA, KINDS)
    def test_the_removal_of_what_was_refused_is_told(self, kind):
        """The client holds the version before it."""
        client = self.refusing(kind, "a", "b")
        self.world.remove(kind, "a")
        client.holding(kind, self.world.of(kind, "b"))
        client.quiet()

    @over(SOTW, ROOTS)
    def test_what_was_refused_and_is_removed_is_left_out(self, kind):
        """As above: a stand-in for what was refused goes, too."""
        client = self.refusing(kind, "a", "b")
        self.world.remove(kind, "a")
        client.holding(kind, self.world.of(kind, "b"))
        client.quiet()

    @over(ALL, ROOTS)
    def test_a_new_resource_that_is_refused_and_removed_leaves_nothing(self, kind):
        """The client never had it."""
        client = self.subscribed(kind)
        self.world.add(kind, "d")
        client.nack(client.expect(kind))
        client.settle(kind)
        self.world.remove(kind, "d")
        client.settle(kind)
        self.world.change(kind, "a")
        client.holding(kind, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_a_removal_that_is_refused_comes_to_rest(self, kind):
        """Nobody says what a refused removal means. It is not said again before something changes, and other changes
        flow."""
        client = self.subscribed(kind)
        self.world.remove(kind, "b")
        client.nack(client.expect(kind))
        client.quiet()
        self.world.change(kind, "a")
        client.take(kind)
        self.assertEqual(client.held(kind)["a"], self.world.of(kind)["a"])
        self.assertLessEqual(len(client.settle(kind)), 1)
        if self.variant in SOTW:
            self.assertEqual(client.held(kind), self.world.of(kind), "the removal, once more")

    def refuses(self, client, kind, is_bad, most):
        """Answers what comes until nothing comes, and refuses what is bad; that must take `most` responses."""
        taken = []
        while len(taken) <= most:
            try:
                response = client.expect(kind, timeout=0.7)
            except AssertionError:
                return taken
            taken.append(response)
            client.nack(response) if is_bad(response) else client.ack(response)
        self.fail(f"more than {most} responses: {taken[-3:]}")

    @over(ALL, ROOTS)
    def test_a_removal_comes_to_rest_though_the_client_refuses_everything(self, kind):
        """As above, of a client that never gives in."""
        client = self.subscribed(kind)
        self.world.remove(kind, "b")
        self.refuses(client, kind, lambda _: True, most=1)
        self.world.change(kind, "a")
        self.refuses(client, kind, lambda _: True, most=2)
        self.world.change(kind, "a", "c")
        client.settle(kind)
        self.assertEqual({name: client.held(kind)[name] for name in "ac"}, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_a_removal_and_a_change_come_to_rest_though_the_client_refuses_everything(self, kind):
        """As above; nothing is said twice."""
        client = self.subscribed(kind)
        with self.world.together():
            self.world.change(kind, "a")
            self.world.remove(kind, "b")
        taken = self.refuses(client, kind, lambda _: True, most=4)
        contents = [(sorted(each.content.items()), sorted(each.removed)) for each in taken]
        self.assertEqual(len(contents), len({str(each) for each in contents}), "no content comes twice")

    @over(SOTW, ROOTS)
    def test_a_client_that_refuses_what_lacks_a_name_keeps_it_and_has_the_changes(self, kind):
        """As above: it is not taken and given in turns."""
        client = self.subscribed(kind)
        self.world.remove(kind, "b")
        self.refuses(client, kind, lambda response: "b" not in response.names, most=2)
        self.world.change(kind, "a", "c")
        self.refuses(client, kind, lambda response: "b" not in response.names, most=3)
        self.assertEqual(set(client.held(kind)), {"a", "b", "c"})
        self.assertEqual({name: client.held(kind)[name] for name in "ac"}, self.world.of(kind))

    @over(ALL, LEAVES)
    def test_a_name_that_vanishes_and_returns_as_it_was_is_sent(self, kind):
        """Nobody says whether the client kept it."""
        client = self.subscribed(kind, "a", "b")
        before = {each: self.world.of(each) for each in KINDS}
        self.world.remove(kind, "b")
        client.settle(kind)
        with self.world.together():
            for each, content in before.items():
                self.world.restore(each, content)
        self.assertEqual(client.take(kind).content, {"b": before[kind]["b"]})
        client.quiet()

    def many(self, kind, count):
        """A client that holds so many, and all of them changed."""
        names = [f"n{number:03}" for number in range(count)]
        self.world.add(kind, *names)
        client = self.client()
        client.subscribe(kind, *names)
        client.holding(kind, self.world.of(kind))
        self.world.change(kind, *names)
        return client, self.world.of(kind)

    @over(ALL, KINDS)
    def test_one_culprit_that_nobody_names_is_found_by_halving(self, kind):
        """Not the specification's words: 64 are new, and one is bad."""
        client, new = self.many(kind, 64)
        self.refuses(client, kind, lambda response: response.content.get("n037") == new["n037"], most=1 + 2 * 6)
        self.assertEqual({name for name in new if client.held(kind)[name] != new[name]}, {"n037"})

    @over(ALL, KINDS)
    def test_a_client_that_refuses_everything_is_not_tried_for_ever(self, kind):
        """Not the specification's words: what is left is tried when the type changes."""
        client, _ = self.many(kind, 200)
        self.refuses(client, kind, lambda _: True, most=1 + 64 + 2 * 8)
        self.world.change(kind, *self.world.of(kind))
        client.holding(kind, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_one_bad_resource_of_many_new_ones_holds_up_none(self, kind):
        """Not the specification's words: a NACK is of a whole response and does not say what the client kept of it. So
        the good ones are sent again without the bad one, or a client that kept nothing would wait for the cure."""
        client = self.subscribed(kind)
        bad = "d"
        self.world.add(kind, bad, "e", "f", "g")
        good = {name: number for name, number in self.world.of(kind).items() if name != bad}
        while {name: client.held(kind).get(name) for name in good} != good:
            response = client.expect(kind)
            if bad in response.names:
                client.nack(response, words=f"{bad}: refused by a test")
            else:
                client.ack(response)
        client.settle(kind)
