"""E4: requests that are made to hurt. Each is refused with a status that says why, or costs a bounded amount; a real
Envoy beside it gets its edits, and a proxy that comes later gets everything."""

import time
from collections import Counter

from google.protobuf.internal.encoder import _VarintBytes as varint
from rig.bystander import SERVICES, BesideOthers
from rig.case import sized
from rig.http2 import ENHANCE_YOUR_CALM, Connection, message
from rig.processes import eventually
from rig.xds import (
    CDS, DELTA, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, SOTW, UNIMPLEMENTED, DeltaDiscoveryResponse, Proxy, delta, sotw,
)

MILLION = 1_000_000
MEGABYTE = 1 << 20
ENDS = 20  # seconds
AT_ONCE, RATE = 5_000, 50  # requests of a connection, and then a second; of a node it is twice as much
NAMES = 32 << 20  # bytes of a connection, with 64 more for each
FLOOD = sized(30, 1)  # seconds


def short_names(count):
    """The fields of so many different names of subscriptions."""
    block = b"".join(b"\x1a\x06a%05x" % number for number in range(MILLION if count > MILLION else count))
    return b"".join(block.replace(b"\x1a\x06a", b"\x1a\x06%c" % (97 + each)) for each in range(-(-count // MILLION)))


def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


class HostileRequests(BesideOthers):
    def is_refused(self, status, words, data, path=DELTA, **headers):
        """These bytes on a new stream, with which it ends."""
        def attack():
            connection = Connection(self.server.xds)
            call = connection.call(path, **headers)
            call.waiting += data
            connection.until(lambda: call.over, ENDS, "the end of the stream")
            connection.close()
            return call

        call = self.beside(attack)
        self.assertEqual(call.status, status, call.details)
        self.assertIn(words, call.details)
        self.is_served()

    def is_served(self):
        """A proxy that comes now."""
        Proxy(self.server.xds, "edge-later", ["edge/http"]).synced(SERVICES, timeout=2).close()

    def test_more_names_than_anybody_has(self):
        first = delta(CDS, node="edge-names")
        cases = {
            "a million, delta": (DELTA, first + short_names(MILLION)),
            "a million, SotW": (SOTW, sotw(CDS, node="edge-names") + short_names(MILLION)),
        }
        for what, (path, request) in cases.items():
            with self.subTest(what):
                self.is_refused(RESOURCE_EXHAUSTED, "names", message(request), path)
        with self.subTest("a million, bit by bit"):
            bits = [delta(CDS, [f"{start + number}" for number in range(10_000)]) for start in
                    range(0, MILLION, 10_000)]
            self.is_refused(RESOURCE_EXHAUSTED, "names", b"".join(map(message, [first, *bits])))
        self.note_worst("all refused")

    def test_as_many_names_as_go_into_the_largest_request(self):
        request = delta(CDS, node="edge-names") + short_names(8 * MILLION)
        self.is_refused(RESOURCE_EXHAUSTED, "names", message(request))
        self.note_worst(f"8,000,000 in {len(request) >> 20} MiB")

    def test_initial_versions_of_what_nobody_has(self):
        versions = b"".join(field(5, b"\n\x06%06x" % number) for number in range(sized(4 * MILLION, MILLION)))
        self.is_refused(RESOURCE_EXHAUSTED, "versions", message(delta(CDS, ["*"], node="edge-versions") + versions))
        self.note_worst(f"{len(versions) // 10:,} in a request")

    def test_a_wildcard_with_as_many_versions_as_may_be(self):
        """It is served: a proxy that reconnects names all that it has."""
        count = sized(200_000, 40_000)  # a debug build takes ten times as long
        versions = b"".join(field(5, b"\n\x06%06x" % number) for number in range(count))

        def reconnect():
            connection = Connection(self.server.xds)
            call = connection.call(DELTA)
            connection.say(call, delta(CDS, ["*"], node="edge-versions") + versions)
            connection.until(lambda: call.messages or call.over, ENDS, "an answer")
            connection.close()
            return call

        call = self.beside(reconnect)
        self.assertFalse(call.over, call.details)
        self.assertEqual(len(DeltaDiscoveryResponse.FromString(call.messages[0]).resources), SERVICES)
        self.note_worst(f"{count:,}")

    def test_a_node_that_is_too_large(self):
        node = field(1, b"\n\x01a" + field(3, b"\n" * (60 * MEGABYTE))) + field(2, CDS.encode())
        cases = {
            "100 MB of metadata": b"\0" + (100 * MEGABYTE).to_bytes(4) + b"\n" * MEGABYTE,
            "60 MB of metadata": message(node),
            "2 MB of metadata": message(delta(CDS) + field(1, b"\n\x01a" + field(3, b"\n" * (2 * MEGABYTE)))),
            "in bits of a byte": message(field(1, b"x") * (20 * MEGABYTE)),
        }
        for what, data in cases.items():
            with self.subTest(what):
                self.is_refused(RESOURCE_EXHAUSTED, "", data)
        self.note_worst("all refused")

    def test_messages_that_are_none(self):
        whole = delta(CDS, ["web"], node="edge-broken")
        gzip = b"\x1f\x8b\x08" + bytes(100)
        cases = {
            "4 GB, announced": (RESOURCE_EXHAUSTED, "4294967295 bytes", b"\0\xff\xff\xff\xff", {}),
            "compressed": (UNIMPLEMENTED, "compressed", message(gzip, compressed=True), {}),
            "compressed, and said so": (UNIMPLEMENTED, "gzip", message(gzip, True), {"grpc_encoding": "gzip"}),
            "truncated protobuf": (INVALID_ARGUMENT, "not a discovery request", message(whole[:-3]), {}),
            "no protobuf": (INVALID_ARGUMENT, "not a discovery request", message(b"\xff" * 1_000), {}),
            "a name that is no UTF-8": (INVALID_ARGUMENT, "not a discovery request",
                                        message(whole + field(3, b"\xff\xfe")), {}),
        }
        for what, (status, words, data, headers) in cases.items():
            with self.subTest(what):
                self.is_refused(status, words, data, **headers)
        self.note_worst("all refused")

    def test_requests_as_fast_as_they_can_be_sent(self):
        """On stream after stream: all of them together are let so many at once, and then so many a second."""
        flood = message(delta(CDS, ["web"])) * 20_000

        def attack():
            ended, began = [], time.monotonic()
            while time.monotonic() < began + FLOOD:
                connection = Connection(self.server.xds)
                while time.monotonic() < began + FLOOD and connection.goaway is None and not connection.closed:
                    call = connection.call(DELTA)
                    call.waiting += message(delta(CDS, node="edge-flooding")) + flood
                    connection.until(lambda: call.over or connection.goaway or connection.closed, ENDS, "the end")
                    ended.append(call.status if connection.goaway is None else connection.goaway)
                connection.close()
            return ended

        taken, began = self.server.metric("signalbox_xds_requests_total"), time.monotonic()
        ended = Counter(self.beside(attack))
        taken = self.server.metric("signalbox_xds_requests_total") - taken
        # The last of each stream is counted, and refused.
        most = 2 * (AT_ONCE + RATE * (time.monotonic() - began)) + 2 * ended.total()
        self.assertLess(taken, most * 1.05, "requests of all streams, and a few of Envoy")
        self.assertGreater(ended[RESOURCE_EXHAUSTED], 0)
        # Who gives up stream after stream resets them in the end too fast.
        self.assertLessEqual(set(ended), {RESOURCE_EXHAUSTED, ENHANCE_YOUR_CALM})
        self.is_served()
        self.note_worst(f"{ended.total()} streams of 20,000 requests ended in {FLOOD} s, {taken:,.0f} requests taken")

    def test_names_that_are_long(self):
        """Fewer than are allowed, and together too long: in one request, and bit by bit."""
        names = [f"{number:06}" + "n" * 1_200 for number in range(45_000)]
        first = delta(CDS, node="edge-long")
        bits = [delta(CDS, names[start:start + 500]) for start in range(0, len(names), 500)]
        cases = {"at once": [delta(CDS, names, node="edge-long")], "bit by bit": [first, *bits]}
        for what, requests in cases.items():
            with self.subTest(what):
                self.is_refused(RESOURCE_EXHAUSTED, "bytes of names", b"".join(map(message, requests)))
        self.note_worst(f"{sum(map(len, names)) >> 20} MiB refused")

    def test_names_that_are_as_long_as_they_may_be(self):
        """On one stream after the other, each below its own limit: there is one for all of a connection, and one for all
        of a node. Who is below goes on, and what was held is given back."""
        count, names, size = sized((100, 50_000, 7_500_000), (60, 5_000, 1_900_000))
        tail = "n" * (size // names - 6)
        request = delta(CDS, [f"{number:06}{tail}" for number in range(names)], node="edge-long")

        def flood(of, each):
            """So many streams, so many of them on a connection; those that are left, and those that ended."""
            calls, connections = [], []
            for number in range(of):
                if number % each == 0:
                    connections.append(Connection(self.server.xds))
                connection = connections[-1]
                calls.append(connection.call(DELTA))
                connection.say(calls[-1], request)
                connection.until(lambda: calls[-1].messages or calls[-1].over, ENDS, "an answer, or the end")
            for connection in connections:
                connection.pump(0.1)
            ended = [call for call in calls if call.over]
            self.assertEqual({call.status for call in ended}, {RESOURCE_EXHAUSTED})
            # The first are the ones that stay.
            self.assertEqual(calls[len(calls) - len(ended):], ended)
            self.assertLessEqual((len(calls) - len(ended)) * (size + 64 * names), NAMES * len(connections))
            return connections, ended

        before = self.server.resident_megabytes()
        connections, ended = self.beside(lambda: flood(count, count))
        self.assertEqual({call.details for call in ended},
                         {f"more than {NAMES} bytes of names on all streams of one connection"})
        held = self.server.resident_megabytes() - before
        connections[0].close()
        eventually(lambda: not self.server.streams("edge-long"), 5, "its streams are gone")
        eventually(lambda: self.server.resident_megabytes() - before < max(held / 2, 30), 10, "memory is given back")

        connections, ended = self.beside(lambda: flood(count, sized(3, 10)))
        self.assertEqual({call.details for call in ended}, {f"more than {2 * NAMES} bytes of names on all streams of one node"})
        self.is_served()
        self.note_worst(f"{count} streams of {names:,} names, {size / MEGABYTE:.1f} MiB each: {held:.0f} MB held")

    def test_a_rejection_with_many_words(self):
        """Its words are shown to people, who need the beginning."""
        words = "w" * (10 * MEGABYTE)

        def attack():
            connection = Connection(self.server.xds)
            call = connection.call(DELTA)
            connection.say(call, delta(CDS, node="edge-wordy"))
            for number in range(sized(40, 25)):
                connection.until(lambda number=number: len(call.messages) > number or call.over, 5, "a response")
                if call.over:
                    break
                nonce = DeltaDiscoveryResponse.FromString(call.messages[number]).nonce
                connection.say(call, delta(CDS, nonce=nonce, error_detail={"code": 3, "message": words}))
            connection.close()
            return number + 1

        rejected = self.beside(attack)
        self.assertLess(max(len(each["message"]) for each in self.server.state()["rejections"]), 2_000)
        self.note_worst(f"{rejected} rejections of {len(words) >> 20} MB")
