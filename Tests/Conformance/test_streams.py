"""Streams as such: who shares what with whom, and how they end.

Quotations are from https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import grpc
from case import ConformanceTest, over
from client import ALL
from resources import CDS, KINDS, ROOTS

STATUS = grpc.StatusCode


class Streams(ConformanceTest):
    @over(ALL, KINDS)
    def test_two_clients_do_not_share_subscriptions(self, kind):
        """Each stream is told what it asked for."""
        self.world.fill("a", "b", "c")
        one, other = self.client(), self.client()
        one.subscribe(kind, "a", "c")
        other.subscribe(kind, "b", "c")
        one.holding(kind, self.world.of(kind, "a", "c"))
        other.holding(kind, self.world.of(kind, "b", "c"))
        self.world.change(kind, "a")
        one.holding(kind, self.world.of(kind, "a", "c"))
        other.quiet()

    @over(ALL, KINDS)
    def test_two_clients_do_not_share_answers(self, kind):
        """What one refuses, or never answers, the other is sent."""
        self.world.fill("a")
        refusing, silent, good = (self.client() for _ in range(3))
        for client in (refusing, silent, good):
            client.subscribe(kind, "a")
        silent.expect(kind)
        refusing.nack(refusing.expect(kind))
        good.holding(kind, self.world.of(kind))
        for _ in range(3):
            self.world.change(kind, "a")
            refusing.nack(refusing.expect(kind))
            good.holding(kind, self.world.of(kind))

    @over(ALL, ROOTS)
    def test_a_node_that_connects_twice_is_served_twice(self, kind):
        """A proxy comes back before its old stream is seen to be dead; Envoy's hot restart is two of one name."""
        self.world.fill("a")
        one, other = self.client(), self.client()
        for client in (one, other):
            client.subscribe(kind)
            client.holding(kind, self.world.of(kind))
        self.world.change(kind, "a")
        for client in (one, other):
            client.holding(kind, self.world.of(kind))
        one.close()
        self.world.change(kind, "a")
        other.holding(kind, self.world.of(kind))

    @over(ALL, KINDS)
    def test_a_stream_ends_well_when_its_client_has_no_more_to_say(self, kind):
        """gRPC: a server ends a call with a status after its client half-closes."""
        self.world.fill("a")
        client = self.client()
        client.subscribe(kind, "a")
        client.holding(kind, self.world.of(kind))
        client.stream(kind).half_close()
        self.assertEqual(client.stream(kind).ended(), STATUS.OK)

    @over(ALL, KINDS)
    def test_a_stream_ends_well_with_an_answer_outstanding(self, kind):
        """As above, when it is owed an ACK that will not come."""
        self.world.fill("a")
        client = self.client()
        client.subscribe(kind, "a")
        client.expect(kind)
        client.stream(kind).half_close()
        self.assertEqual(client.stream(kind).ended(), STATUS.OK)

    @over(ALL, KINDS)
    def test_a_stream_without_a_request_ends_well(self, kind):
        """Nothing was asked for, so nothing was wrong."""
        client = self.client()
        client.stream(kind).half_close()
        self.assertEqual(client.stream(kind).ended(), STATUS.OK)

    @over(ALL)
    def test_a_client_that_goes_in_the_middle_leaves_no_trace(self):
        """Others go on."""
        self.world.fill("a")
        other = self.client()
        other.subscribe(CDS)
        other.holding(CDS, self.world.of(CDS))
        for _ in range(20):
            client = self.client()
            client.subscribe(CDS)
            client.expect(CDS)
            client.close()
        self.world.change(CDS, "a")
        other.holding(CDS, self.world.of(CDS))

    @over(ALL)
    def test_a_client_that_does_not_read_holds_up_no_other(self):
        """HTTP/2 has the server wait for it, and it is sent the newest when it reads again."""
        names = [f"service-{number}" for number in range(1_000)]
        self.world.add(CDS, *names)
        deaf, other = self.client(), self.client()
        deaf.stream(CDS).reads.clear()
        for client in (deaf, other):
            client.subscribe(CDS)
        for _ in range(10):
            self.world.change(CDS, *names)
            other.holding(CDS, self.world.of(CDS))
        deaf.stream(CDS).reads.set()
        taken = deaf.holding(CDS, self.world.of(CDS))
        self.assertLessEqual(len(taken), 3, "what is past is not kept for it")

    @over(ALL)
    def test_a_server_that_is_stopped_ends_its_streams(self):
        """A client that is told reconnects at once; one that is not waits for a time-out."""
        self.world.add(CDS, "a")
        client = self.client()
        client.subscribe(CDS)
        client.holding(CDS, self.world.of(CDS))
        self.assertEqual(self.server.stop(), 0, "exit code")
        self.assertIn(client.stream(CDS).ended(), (STATUS.OK, STATUS.UNAVAILABLE))
        self.server.start()

    @over(ALL)
    def test_clients_that_come_while_the_world_is_in_motion_end_with_it(self):
        """No change falls between the first answer and the updates after it."""
        self.world.add(CDS, "a", "b")
        clients = [self.client() for _ in range(10)]
        for number in range(100):
            self.world.change(CDS, "a")
            if number % 10 == 0:
                clients[number // 10].subscribe(CDS)
        for client in clients:
            client.holding(CDS, self.world.of(CDS))
