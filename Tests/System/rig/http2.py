"""A raw HTTP/2 client that sends what it is told to, also what no client should. Nothing happens behind a test's back:
what comes is read, and answered as HTTP/2 wants it, only while the test calls `pump`, `until` or `say`. Needs hpack.

See https://www.rfc-editor.org/rfc/rfc9113 and https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

import select
import socket
import struct
import time

import hpack

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
MAX_STREAMS, INITIAL_WINDOW = 3, 4  # settings
NO_ERROR, PROTOCOL_ERROR, ENHANCE_YOUR_CALM = 0x0, 0x1, 0xB  # errors
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DEFAULT_WINDOW = 65_535
FRAME = 16_384


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header that is in no table, in HPACK."""
    return b"\0" + b"".join(_integer(len(part)) + part for part in (name.encode(), value.encode()))


def _integer(number):
    if number < 127:
        return bytes([number])
    rest, out = number - 127, bytearray([127])
    while rest >= 128:
        out.append(rest % 128 + 128)
        rest //= 128
    return bytes([*out, rest])


def call_headers(path, **more):
    """The header block with which a gRPC call begins."""
    pairs = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "xds", "te": "trailers",
             "content-type": "application/grpc", "user-agent": "rig"}
    return b"".join(literal(*pair) for pair in (pairs | {key.replace("_", "-"): more[key] for key in more}).items())


def message(body, compressed=False):
    """A gRPC message."""
    return struct.pack(">BI", compressed, len(body)) + body


class Call:
    """One stream: what came on it, and what waits until the windows let it go."""

    def __init__(self, number, window):
        self.number, self.window, self.waiting = number, window, bytearray()
        self.headers, self.bytes, self.messages = {}, bytearray(), []
        self.status = self.details = None  # of gRPC
        self.reset = None  # the code, if it was
        self.over = self.left = False

    def received(self, data):
        self.bytes += data
        while len(self.bytes) >= 5 and len(self.bytes) >= (end := 5 + int.from_bytes(self.bytes[1:5])):
            self.messages.append(bytes(self.bytes[5:end]))
            del self.bytes[:end]

    def head(self, headers):
        self.headers |= headers
        if "grpc-status" in headers:
            self.status, self.details = int(headers["grpc-status"]), headers.get("grpc-message", "")


class Connection:
    """One connection. While it `grants`, what was received is given back to the server as room to send more."""

    all = set()  # those that are open

    def __init__(self, address, window=16 << 20, preface=True):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.all.add(self)
        self.decoder, self.calls = hpack.Decoder(), {}
        self.grants, self.kept = True, {}  # kept: stream -> bytes that were not granted again
        self.pending, self.block, self.out = bytearray(), bytearray(), bytearray()
        self.window, self.initial, self.limit = DEFAULT_WINDOW, DEFAULT_WINDOW, None  # what the server allows us
        self.received, self.pings = 0, 0
        self.goaway = self.debug = None  # the error code, and the words with it
        self.closed = False
        if preface:
            self.raw(PREFACE + frame(SETTINGS, payload=struct.pack(">HI", INITIAL_WINDOW, window)))
            if window > DEFAULT_WINDOW:
                self.raw(frame(WINDOW_UPDATE, payload=struct.pack(">I", window - DEFAULT_WINDOW)))

    def raw(self, data):
        self.out += data

    def call(self, path, node=None, **headers):
        """Begins a gRPC call on the next stream."""
        call = Call(2 * len(self.calls) + 1, self.initial)
        self.calls[call.number] = call
        self.raw(frame(HEADERS, END_HEADERS, call.number, call_headers(path, **headers)))
        return call

    def say(self, call, body):
        """Sends one gRPC message, as far as the windows let it go."""
        call.waiting += message(body)
        self.pump(0)

    def pump(self, seconds=0.0, at_most=1 << 20):
        """Waits so long for something to come or to go, sends, and reads once; the number of bytes that were read."""
        if self.closed:
            return 0
        self._move()
        poll = select.poll()  # select() knows no more than 1,024 sockets
        poll.register(self.socket, (select.POLLIN if at_most else 0) | (select.POLLOUT if self.out else 0))
        poll.poll(seconds * 1000)
        try:
            if self.out:
                with memoryview(self.out) as view:
                    sent = self.socket.send(view[:1 << 20])
                del self.out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.out.clear()  # what the server said before it closed can still be read
        if not at_most:
            return 0
        try:
            data = self.socket.recv(at_most)
            self.closed = not data
        except BlockingIOError:
            return 0
        except OSError:
            data, self.closed = b"", True
        self.pending += data
        self.received += len(data)
        self._take()
        return len(data)

    def until(self, probe, timeout=10.0, what=""):
        """Pumps until this is true; its value."""
        deadline = time.monotonic() + timeout
        while not (found := probe()):
            left = deadline - time.monotonic()
            if left < 0 or (self.closed and not probe()):
                raise AssertionError(f"not within {timeout} s: {what} ({self})")
            self.pump(min(left, 0.1))
        return found

    def resume(self):
        """Grants again, also what was kept."""
        self.grants = True
        self._grant()

    def _grant(self):
        for stream, room in self.kept.items():
            self.raw(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", room)))
        self.kept.clear()

    @classmethod
    def close_all(cls):
        for connection in list(cls.all):
            connection.close()

    def close(self):
        self.all.discard(self)
        self.closed = True
        self.socket.close()

    def __str__(self):
        over = [f"stream {each.number}: status {each.status} {each.details}, reset {each.reset}"
                for each in self.calls.values() if each.over][:3]
        return f"GOAWAY {self.goaway} {self.debug}, closed {self.closed}, {over}"

    def _move(self):
        """What the windows allow goes out."""
        for call in self.calls.values():
            while call.waiting and (size := min(len(call.waiting), self.window, call.window, FRAME)) > 0:
                if len(self.out) > 1 << 20:
                    return
                self.raw(frame(DATA, 0, call.number, bytes(call.waiting[:size])))
                del call.waiting[:size]
                self.window -= size
                call.window -= size

    def _take(self):
        position = 0
        while len(self.pending) - position >= 9:
            size = int.from_bytes(self.pending[position:position + 3])
            if len(self.pending) < position + 9 + size:
                break
            kind, flags, stream = struct.unpack_from(">BBI", self.pending, position + 3)
            self._frame(kind, flags, stream, bytes(self.pending[position + 9:position + 9 + size]))
            position += 9 + size
        del self.pending[:position]

    def _frame(self, kind, flags, stream, payload):
        call = self.calls.get(stream)
        if kind == DATA:
            if call:
                call.received(payload)
            for each in (0, stream) if payload else ():
                self.kept[each] = self.kept.get(each, 0) + len(payload)
            if self.grants:
                self._grant()
        elif kind in (HEADERS, CONTINUATION):
            self.block += payload
            if flags & END_HEADERS:
                headers = dict(self.decoder.decode(bytes(self.block)))
                self.block.clear()
                if call:
                    call.head(headers)
        elif kind == RST_STREAM and call:
            call.reset, call.over = int.from_bytes(payload), True
        elif kind == SETTINGS and not flags & ACK:
            self._settings(dict(struct.iter_unpack(">HI", payload)))
            self.raw(frame(SETTINGS, ACK))
        elif kind == PING and not flags & ACK:
            self.pings += 1
            self.raw(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.goaway, self.debug = int.from_bytes(payload[4:8]), payload[8:].decode(errors="replace")
        elif kind == WINDOW_UPDATE:
            if stream == 0:
                self.window += int.from_bytes(payload)
            elif call:
                call.window += int.from_bytes(payload)
        if kind in (DATA, HEADERS) and flags & END_STREAM and call:
            call.over = True
        if call and call.over and not call.left:
            # As gRPC clients do: what was to be said is not said any more, and the stream is gone.
            call.left = True
            call.waiting.clear()
            if call.reset is None:
                self.raw(frame(RST_STREAM, 0, stream, struct.pack(">I", NO_ERROR)))

    def _settings(self, settings):
        self.limit = settings.get(MAX_STREAMS, self.limit)
        if INITIAL_WINDOW in settings:
            for call in self.calls.values():
                call.window += settings[INITIAL_WINDOW] - self.initial
            self.initial = settings[INITIAL_WINDOW]
