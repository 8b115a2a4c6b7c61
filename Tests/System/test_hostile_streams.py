"""E4: too many streams, too many connections, and streams that never get anywhere. They are turned away or cost a
bounded amount, and a real Envoy beside them gets its edits."""

import time

from google.protobuf.internal.encoder import _VarintBytes as varint
from rig.bystander import GROWTH, SERVICES, BesideOthers
from rig.case import sized
from rig.http2 import HEADERS, PREFACE, SETTINGS, Connection, call_headers, frame, message
from rig.processes import eventually
from rig.xds import CDS, DELTA, EDS, LDS, RDS, RESOURCE_EXHAUSTED, SOTW, Proxy, delta, sotw

PER_CONNECTION, PER_NODE = 100, 1_000
MEGABYTE = 1 << 20
KILOBYTES_EACH = 32  # of a connection that says nothing


class HostileStreams(BesideOthers):
    def live(self):
        """Open streams beside Envoy's."""
        return self.server.metric("signalbox_xds_streams") - 1

    def nobody_is_left(self):
        Connection.close_all()
        eventually(lambda: self.live() == 0, 10, "no stream is left")

    def test_more_streams_than_a_connection_may_have(self):
        most = 0

        def attack():
            nonlocal most
            connection = Connection(self.server.xds)
            for number in range(sized(10_000, 1_000)):
                connection.say(connection.call(DELTA), delta(CDS, ["web"], node="edge-many"))
                if number % 100 == 50:
                    most = max(most, self.live())
            for _ in range(20):
                connection.pump(0.05)
            most = max(most, self.live())
            return connection

        connection = self.beside(attack)
        self.assertEqual(connection.limit, PER_CONNECTION)
        self.assertLessEqual(most, PER_CONNECTION)
        # What it may have is served, or it is cut off.
        served = sum(bool(each.messages) for each in connection.calls.values())
        self.assertTrue(served == PER_CONNECTION or connection.goaway, connection)
        self.nobody_is_left()
        self.note_worst(f"{len(connection.calls)} streams on a connection, {most:.0f} of them at once; "
                        f"GOAWAY {connection.goaway}")

    def test_more_streams_than_a_node_may_have(self):
        def attack():
            calls = []
            for _ in range(PER_NODE // PER_CONNECTION + 1):
                connection = Connection(self.server.xds)
                mine = [connection.call(DELTA) for _ in range(PER_CONNECTION)]
                for call in mine:
                    connection.say(call, delta(CDS, ["web"], node="edge-many"))
                connection.until(lambda mine=mine: all(each.messages or each.over for each in mine), 10, "answers")
                calls += mine
            return calls

        calls = self.beside(attack)
        refused = [call for call in calls if call.over]
        self.assertEqual(len(refused), len(calls) - PER_NODE)
        self.assertEqual({call.status for call in refused}, {RESOURCE_EXHAUSTED}, refused[0].details)
        Proxy(self.server.xds, "edge-other", ["edge/http"]).synced(SERVICES, timeout=2).close()
        self.nobody_is_left()
        self.note_worst(f"{len(calls)} streams of a node: {refused[0].details}")

    def test_streams_that_read_nothing(self):
        """On each of them waits all that there is."""
        count = sized(10, 2)

        def attack():
            for _ in range(count):
                connection = Connection(self.server.xds, window=0)
                names = [f"service-{number:03}" for number in range(SERVICES)]
                for number in range(PER_CONNECTION):
                    call = connection.call(SOTW)
                    connection.say(call, sotw(CDS, node=f"edge-{number}"))
                    for request in (sotw(EDS, names), sotw(LDS), sotw(RDS, ["edge/http"])):
                        connection.say(call, request)
                for _ in range(10):
                    connection.pump(0.05)
            eventually(lambda: self.live() == count * PER_CONNECTION, 10, "all of them are there")

        self.beside(attack)
        self.note_worst(f"{count * PER_CONNECTION} streams")
        self.nobody_is_left()

    def test_messages_that_end_in_the_middle_of_a_frame(self):
        """So that there is always the beginning of another one."""
        padding = message(delta(CDS, ["web"]) + b"\x7a" + varint(5 * MEGABYTE) + b"p" * (5 * MEGABYTE))
        count = sized(1_000, 60)

        def attack():
            connection = Connection(self.server.xds)
            call = connection.call(DELTA)
            call.waiting += message(delta(CDS, node="edge-cut")) + padding[:100]
            for _ in range(count):
                call.waiting += padding[100:] + padding[:100]
                connection.until(lambda: call.over or not call.waiting, 20, "it is sent")
            connection.close()
            return call

        call = self.beside(attack)
        self.note_worst(f"{count * 5} MB in messages of 5 MB; {call.details or 'served'}")

    def test_large_requests_that_never_come(self):
        """Who announces much and sends a byte a second does not keep a large request of anybody else out."""
        reconnect = delta(CDS, ["*"], node="edge-large", initial_resource_versions={
            f"gone-since-then-{number:06}": "v" * 32 for number in range(10_000)})

        def attack():
            slow = []
            for number in range(6):
                slow.append(Connection(self.server.xds))
                slow[-1].call(DELTA).waiting += b"\0" + (64 * MEGABYTE).to_bytes(4)
                slow[-1].pump(0.05)
            for _ in range(sized(60, 3)):
                for each in slow:
                    if not each.calls[1].over:
                        each.calls[1].waiting += b"\n"
                    each.pump(1 / len(slow))
            connection = Connection(self.server.xds)
            call = connection.call(DELTA)
            connection.say(call, reconnect)
            connection.until(lambda: call.messages or call.over, 5, "an answer")
            return call, [each.calls[1].details for each in slow]

        call, slow = self.beside(attack)
        crawling = sum(each is None for each in slow)
        self.note_worst(f"a reconnect of {len(reconnect) >> 10} kB beside {crawling} that crawl")
        self.assertFalse(call.over, f"the reconnect: {call.details}")

    def test_clients_that_crawl(self):
        """A byte a second: of the preface, of the first headers, of the first message. They answer PINGs."""
        head = frame(HEADERS, 4, 1, call_headers(DELTA))
        stages = [b"", PREFACE + frame(SETTINGS), PREFACE + frame(SETTINGS) + head]
        rest = [PREFACE, head, frame(0, 0, 1, message(delta(CDS, node="edge-slow" + "w" * 1_000)))]
        seconds = sized(75, 2)
        clients = []

        def attack():
            for stage in [0, 1, 2] * sized(100, 20):
                clients.append((Connection(self.server.xds, preface=False), rest[stage]))
                clients[-1][0].raw(stages[stage])
            for second in range(seconds):
                began = time.monotonic()
                for connection, data in clients:
                    connection.raw(data[second:second + 1])
                    connection.pump()
                time.sleep(max(0.0, began + 1 - time.monotonic()))
            left = [sum(not connection.closed for connection, _ in clients[stage::3]) for stage in range(3)]
            return left, self.live()

        left, streams = self.beside(attack)
        self.assertLessEqual(streams, sized(100, 20), "none has a stream but those that crawl on one")
        if seconds > 60:
            self.assertEqual(left[:2], [0, 0], "connections without a stream are left after a minute")
            self.assertEqual(streams, 0, "streams that did not make a request in a minute")
        self.nobody_is_left()
        self.note_worst(f"{left} of {sized(100, 20)} each are still there after {seconds} s")


class HostileConnections(BesideOthers):
    LIMIT, MORE = sized((10_000, 500), (400, 200))
    flags = ("--xds-max-connections", str(LIMIT))

    def test_more_connections_than_there_may_be(self):
        def attack():
            opened = [Connection(self.server.xds) for _ in range(self.LIMIT + self.MORE)]
            refused, deadline = 0, time.monotonic() + 10
            while refused <= self.MORE and time.monotonic() < deadline:
                for each in opened:
                    each.pump()
                refused = sum(each.closed for each in opened)
            return opened

        # Ten thousand are more than GROWTH: what is bounded is what one of them costs.
        opened = self.beside(attack, growth=max(GROWTH, self.LIMIT * KILOBYTES_EACH / 1_024))
        refused = sum(each.closed for each in opened)
        # Envoy has one.
        self.assertEqual(refused, self.MORE + 1)
        Connection.close_all()

        def served():
            Proxy(self.server.xds, "edge-later", ["edge/http"]).synced(SERVICES, timeout=2).close()
            return True

        eventually(served, 5, "a proxy is served when there is room again", interval=0.1)
        self.note_worst(f"{len(opened)} connections, {refused} of them refused")
        self.note(f"{self.growth * 1_024 / self.LIMIT:.0f} kB each")
