"""E4: abuse of HTTP/2 below gRPC. The server says GOAWAY, with a code that fits, and closes the connection; a real
Envoy beside it gets its edits, and so does a proxy that comes later.

See https://www.rfc-editor.org/rfc/rfc9113#section-5.4.1 («the endpoint MUST close the TCP connection») and 10.5
"""

import random
import time

from rig.bystander import SERVICES, BesideOthers
from rig.case import sized
from rig.http2 import (
    ACK, CONTINUATION, DATA, END_HEADERS, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PING, PREFACE, PRIORITY, PROTOCOL_ERROR,
    PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Connection, call_headers, frame, literal,
)
from rig.xds import CDS, DELTA, EDS, Proxy, delta

FLOW_CONTROL, FRAME_SIZE, COMPRESSION = 0x3, 0x6, 0x9
MANY = sized(1_000_000, 20_000)
CLOSES = 2  # seconds
CALL = call_headers(DELTA)
PADDED = 0x8

# An entry of 4 kB in the table, and then a byte each time it is meant.
BOMB = b"\x40" + literal("bomb", "b" * 4_000)[1:]


def call(number, block=b"", flags=END_HEADERS):
    return frame(HEADERS, flags, 2 * number + 1, CALL + block)


# what it is -> (the frames in the order in which they are sent, the number of which is given, how many, the codes)
FLOODS = {
    "rapid reset": (lambda n: call(n) + frame(RST_STREAM, 0, 2 * n + 1, bytes(3) + b"\x08"), MANY, [ENHANCE_YOUR_CALM]),
    "PINGs": (lambda n: frame(PING, payload=b"12345678"), MANY, [ENHANCE_YOUR_CALM]),
    "answers to no PING": (lambda n: frame(PING, ACK, payload=b"12345678"), MANY, [ENHANCE_YOUR_CALM]),
    "SETTINGS": (lambda n: frame(SETTINGS), MANY, [ENHANCE_YOUR_CALM]),
    "answers to no SETTINGS": (lambda n: frame(SETTINGS, ACK), MANY, [ENHANCE_YOUR_CALM, PROTOCOL_ERROR]),
    "PRIORITY": (lambda n: frame(PRIORITY, 0, 1, bytes(4) + b"\x01"), MANY, [ENHANCE_YOUR_CALM]),
    "DATA without data": (lambda n: frame(DATA, 0, 1) if n else call(0), MANY, [ENHANCE_YOUR_CALM]),
    "DATA of padding": (lambda n: frame(DATA, PADDED, 1, b"\xff" + bytes(255)) if n else call(0), MANY // 10,
                        [ENHANCE_YOUR_CALM]),
    "small CONTINUATIONs": (lambda n: frame(CONTINUATION, 0, 1) if n else call(0, flags=0), MANY,
                            [ENHANCE_YOUR_CALM, PROTOCOL_ERROR]),
    "large CONTINUATIONs": (lambda n: frame(CONTINUATION, 0, 1, literal("a", "v" * 16_000)) if n else call(0, flags=0),
                            MANY // 100, [ENHANCE_YOUR_CALM, PROTOCOL_ERROR]),
    "a header of 32 kB": (lambda n: frame(CONTINUATION, END_HEADERS, 1, b"v" * 16_384) if n else
                          frame(HEADERS, 0, 1, CALL + b"\0\x01a\x7f\x81\x7f"), 2,
                          [ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION]),
    "1,500 headers": (lambda n: call(n, b"".join(literal(f"h{each}", "v") for each in range(1_500))), 1,
                      [ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION]),
    "headers of a byte that mean 4 kB": (lambda n: call(n, BOMB + b"\xbe" * 10_000), 1,
                                         [ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION]),
    "frames longer than allowed": (lambda n: frame(DATA, 0, 1, bytes(1 << 20)) if n else call(0), 2,
                                   [FRAME_SIZE, PROTOCOL_ERROR]),
    "a window that overflows": (lambda n: frame(WINDOW_UPDATE, payload=b"\x7f\xff\xff\xff"), 2, [FLOW_CONTROL]),
    "a push to the server": (lambda n: frame(PUSH_PROMISE, END_HEADERS, 1, bytes(3) + b"\x02") if n else call(0), 2,
                             [PROTOCOL_ERROR]),
    "streams that were closed": (lambda n: frame(DATA, 0, 1, b"x") if n else call(5), MANY, [PROTOCOL_ERROR, 0x5]),
    "garbage": (lambda n: random.Random(n).randbytes(100_000), 1, [PROTOCOL_ERROR, FRAME_SIZE]),
}
# These cost the server nothing, and whether it puts up with them is its own choice.
PATIENTLY = {
    "WINDOW_UPDATEs": (lambda n: frame(WINDOW_UPDATE, payload=bytes(3) + b"\x01"), MANY),
    "frames that nobody knows": (lambda n: frame(0x77, 0, 0, bytes(100)), MANY),
    "GOAWAYs": (lambda n: frame(GOAWAY, payload=bytes(8)), MANY),
}
NO_HTTP2 = {
    "HTTP/1.1": b"GET / HTTP/1.1\r\nhost: xds\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "garbage": random.Random(1).randbytes(100_000),
    "most of a preface": PREFACE[:-4] + b"....",
}


class HostileHTTP2(BesideOthers):
    def sent(self, frames, count):
        """A connection after so many of these, sent as fast as they go, or as they go until it is closed."""
        def attack():
            connection = Connection(self.server.xds)
            connection.until(lambda: connection.limit, 5, "the server's settings")
            for number in range(count):
                connection.raw(frames(number))
                while len(connection.out) > 1 << 19 and not connection.closed:
                    connection.pump(0.1)
                if connection.closed:
                    break
            return connection

        return self.beside(attack)

    def is_closed(self, connection):
        deadline = time.monotonic() + CLOSES
        while not connection.closed and time.monotonic() < deadline:
            connection.pump(0.1)
        self.assertTrue(connection.closed, f"the connection is closed within {CLOSES} s: {connection}")

    def is_served(self):
        """A proxy that comes now."""
        Proxy(self.server.xds, "edge-later", ["edge/http"]).synced(SERVICES, timeout=2).close()

    def test_floods_and_bombs(self):
        for what, (frames, count, codes) in FLOODS.items():
            with self.subTest(what):
                connection = self.sent(frames, count)
                connection.until(lambda c=connection: c.goaway is not None, 5, "GOAWAY")
                self.assertIn(connection.goaway, codes, connection)
                self.is_served()
                self.is_closed(connection)
        self.note_worst(f"{len(FLOODS)} kinds")

    def test_floods_that_cost_nothing(self):
        for what, (frames, count) in PATIENTLY.items():
            with self.subTest(what):
                connection = self.sent(frames, count)
                self.is_served()
                connection.close()
        self.note_worst(f"{MANY:,} of {', '.join(PATIENTLY)}")

    def test_what_is_not_HTTP2(self):
        for what, data in NO_HTTP2.items():
            with self.subTest(what):
                connection = Connection(self.server.xds, preface=False)
                connection.raw(data)
                self.beside(lambda c=connection: c.pump(0.1))
                self.is_served()
                self.is_closed(connection)
        self.note_worst(f"{len(NO_HTTP2)} kinds")

    def test_a_client_that_gives_up_all_its_streams(self):
        """And once more those that it opened instead: nobody on its connection minds."""
        connection = Connection(self.server.xds)
        kept = connection.call(DELTA)
        connection.say(kept, delta(CDS, node="edge-kept"))
        connection.until(lambda: kept.messages, 5, "the answer to the one that stays")
        for _ in range(2):
            calls = [connection.call(DELTA) for _ in range(99)]
            for number, each in enumerate(calls):
                connection.say(each, delta(CDS, node=f"edge-{number}"))
            connection.until(lambda calls=calls: all(call.messages for call in calls), 10, "answers")
            for each in calls:
                connection.raw(frame(RST_STREAM, 0, each.number, bytes(3) + b"\x08"))
            connection.pump(0.5)
        connection.pump(0.5)
        self.assertIsNone(connection.goaway, connection)
        connection.say(kept, delta(EDS, ["service-001"]))
        connection.until(lambda: len(kept.messages) > 1, 5, "another answer")
        self.assertFalse(kept.over)
