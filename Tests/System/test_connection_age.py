"""A connection that is old enough is left in good order, so that proxies spread over replicas again."""

import time

from rig.case import SystemTest, sized
from rig.http2 import Connection
from rig.processes import eventually
from rig.traffic import Load
from rig.xds import CDS, DELTA, OK, delta

AGE, CONNECTIONS = 2, sized(20, 3)


class ConnectionAge(SystemTest):
    def moves(self, *flags):
        """Envoy opens connection after connection under load, and takes nothing in."""
        self.canary()
        server = self.signalbox("--xds-max-connection-age-seconds", AGE)
        self.envoy(server, *flags).wait_route(self.port, "web.example.com")
        server.wait_settled("edge-1")
        sent = server.metric("signalbox_xds_resources_sent_total")
        peers = []

        def moved():
            for stream in server.streams("edge-1"):
                if stream["peer"] not in peers:
                    peers.append(stream["peer"])
            return len(peers) > CONNECTIONS

        with Load(self.port, "web.example.com", rate=200) as load:
            began = time.monotonic()
            eventually(moved, (CONNECTIONS + 1) * (AGE + 3), f"{CONNECTIONS} other connections")
            took = time.monotonic() - began
        self.assert_none_failed(load, 200)
        # A connection that ends by itself lasts as long as it is allowed to, give or take a tenth.
        self.assertGreater(took, 0.9 * AGE * (CONNECTIONS - 1))
        log = server.log.read_text()
        self.assertIn('reason="the connection is old enough"', log)
        self.assertNotIn("connection lost", log)
        self.note(f"{CONNECTIONS} moves in {took:.1f} s, {len(load.responses):,} requests")
        return server.metric("signalbox_xds_resources_sent_total") - sent

    def test_delta(self):
        self.assertEqual(self.moves(), 0, "resources that were sent again")

    def test_sotw(self):
        self.moves("--sotw")

    def test_a_stream_of_each_type(self):
        self.moves("--per-type")

    def test_what_a_client_is_told(self):
        self.canary()
        server = self.signalbox("--xds-max-connection-age-seconds", AGE)
        connection = Connection(server.xds)
        call = connection.call(DELTA)
        connection.say(call, delta(CDS, node="edge-1"))
        connection.until(lambda: call.messages, 5, "an answer")
        began = time.monotonic()
        connection.until(lambda: call.over, 1.1 * AGE + 1, "the end of the stream")
        self.assertGreater(time.monotonic() - began, 0.8 * AGE)
        self.assertEqual((call.status, connection.goaway), (OK, 0))
        connection.until(lambda: connection.closed, 1, "the end of the connection")

    def test_who_does_not_answer_is_cut_off(self):
        self.canary()
        server = self.signalbox("--xds-max-connection-age-seconds", AGE)
        connection = Connection(server.xds)
        connection.say(connection.call(DELTA), delta(CDS, node="edge-1"))
        connection.pump(0.2)
        eventually(lambda: server.streams("edge-1"), 1, "its stream")
        eventually(lambda: not server.streams("edge-1"), 1.1 * AGE + 1, "its stream is over")
        time.sleep(5.5)
        # What it says now, nobody reads.
        connection.until(lambda: connection.closed, 1, "the end of the connection")
