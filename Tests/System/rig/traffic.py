"""Upstreams and load: HTTP/1.1 over keep-alive connections, on one event loop in a thread of its own."""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass
from itertools import cycle

TIMEOUT = 2.0  # seconds until a request counts as failed

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True, name="traffic").start()


def _run(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, _loop).result(30)


class Upstream:
    """A server whose every answer is its own name."""

    def __init__(self, name, port, address="127.0.0.1"):
        self.name, self.port, self.address, self.requests = name, port, address, 0
        body = name.encode()
        self.answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
        self.server = _run(self._listen())

    async def _listen(self):
        return await _loop.create_server(lambda: _Answering(self), self.address, self.port)

    def stop(self):
        _loop.call_soon_threadsafe(self.server.close)


class _Answering(asyncio.Protocol):
    def __init__(self, upstream):
        self.upstream, self.pending = upstream, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        *heads, self.pending = (self.pending + data).split(b"\r\n\r\n")
        self.upstream.requests += len(heads)
        self.transport.write(self.upstream.answer * len(heads))


@dataclass(slots=True)
class Response:
    sent: float
    received: float
    host: str
    status: int = 0
    body: str = ""
    head: str = ""
    error: str = ""

    @property
    def failed(self):
        return not 200 <= self.status < 300

    def header(self, name):
        for line in self.head.splitlines()[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return None


class Load:
    """Requests at a steady `rate` (None: as fast as answers come) from a few connections, every answer recorded.

    With `limit` it ends by itself after that many requests: `join()`. Use as a context manager otherwise.
    """

    def __init__(self, port, hosts, rate=200, connections=4, path="/", limit=None, headers=None):
        self.port, self.path, self.rate, self.limit = port, path, rate, limit
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.hosts = cycle([hosts] if isinstance(hosts, str) else hosts)
        self.responses, self.started, self.connections, self.running = [], 0, connections, False

    def __enter__(self):
        self.running = True
        self.begin = time.monotonic()
        self.workers = asyncio.run_coroutine_threadsafe(self._work(), _loop)
        return self

    def __exit__(self, *_):
        self.running = False
        self.join()

    def join(self, timeout=120):
        self.workers.result(timeout)
        return self

    async def _work(self):
        await asyncio.gather(*(self._connection() for _ in range(self.connections)))

    async def _connection(self):
        connection = None
        while self.running and (self.limit is None or self.started < self.limit):
            number, self.started = self.started, self.started + 1
            if self.rate:
                await asyncio.sleep(max(0, self.begin + number / self.rate - time.monotonic()))
            host = next(self.hosts)
            response = Response(time.monotonic(), 0, host)
            try:
                connection = await asyncio.wait_for(self._exchange(connection, response), TIMEOUT)
            except (OSError, EOFError, ValueError) as error:  # a timeout is an OSError
                response.status, response.error = 0, repr(error)
                if connection:
                    connection[1].close()
                connection = None
            response.received = time.monotonic()
            self.responses.append(response)
        if connection:
            connection[1].close()

    async def _open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _exchange(self, connection, response):
        reader, writer = connection or await self._open()
        writer.write(f"GET {self.path} HTTP/1.1\r\nhost: {response.host}\r\n{self.headers}\r\n".encode())
        response.head = (await reader.readuntil(b"\r\n\r\n")).decode()
        response.status = int(response.head.split(" ", 2)[1])
        response.body = (await reader.readexactly(int(response.header("content-length") or 0))).decode()
        if response.header("connection") == "close":
            writer.close()
            return None
        return reader, writer

    @property
    def failures(self):
        return [response for response in self.responses if response.failed]

    def shares(self):
        """body -> its part of the answers, 0 to 1."""
        counts = Counter(response.body for response in self.responses)
        return {body: count / len(self.responses) for body, count in counts.items()}


def burst(port, host, count, connections=8, path="/", headers=None):
    """`count` requests as fast as they are answered."""
    with Load(port, host, rate=None, connections=connections, path=path, limit=count, headers=headers) as load:
        return load.join()


def once(port, host, path="/", headers=None):
    """One request on a connection of its own."""
    return burst(port, host, 1, connections=1, path=path, headers=headers).responses[0]
