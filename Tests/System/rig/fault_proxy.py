"""What stands between Signalbox and an agent and, while a test says so, answers as an agent does that is broken.

A fault is a coroutine function of an Exchange. It meets the requests that come while it is in force, and those that are
still waiting for their answers when it begins: blocking queries would not notice it otherwise."""

import asyncio
import json
import random
import threading
import time
from collections import Counter

from .processes import free_port

LIMIT = 1 << 28  # bytes of an answer of the agent's


class Exchange:
    """A request, and the way back to whoever asked."""

    def __init__(self, path, ask, writer):
        self.path, self.ask, self.asked, self.writer, self.has_begun = path, ask, None, writer, False

    async def answer(self):
        """(status line, headers, body): the agent's own. It is asked once, whatever happens here meanwhile."""
        self.asked = self.asked or asyncio.ensure_future(self.ask())
        return await asyncio.shield(self.asked)

    async def send(self, data):
        self.has_begun = True
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, status, body, headers=None, length=None):
        """`length`: what the answer says of its body, if that is not so."""
        fields = {"Content-Type": "application/json", "Content-Length": len(body) if length is None else length}
        await self.send(head(f"HTTP/1.1 {status} Whatever", fields | (headers or {})) + body)


def head(line, headers):
    return "".join([f"{line}\r\n", *(f"{name}: {value}\r\n" for name, value in headers.items()), "\r\n"]).encode()


class FaultProxy:
    """Listens at `url`. `fault` is None or one of those below; `requests` counts what came, with the time of each, and
    `methods` how often which."""

    def __init__(self, host, port=8500):
        self.host, self.port, self.fault, self.requests, self.served = host, port, None, [], set()
        self.methods = Counter()
        self.listens = free_port()
        self.url = f"http://127.0.0.1:{self.listens}"
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True, name="fault proxy").start()
        self._do(self._start())

    def set(self, fault):
        """Puts a fault (None: none) in force; it meets also what is under way."""
        self._do(self._set(fault))

    def stop(self):
        self._do(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def since(self, moment):
        return [path for at, path in list(self.requests) if at >= moment]

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    async def _start(self):
        self.changed = asyncio.Event()
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.listens)

    async def _set(self, fault):
        self.fault = fault
        self.changed.set()
        self.changed = asyncio.Event()

    async def _stop(self):
        self.server.close()
        for task in self.served:
            task.cancel()

    async def _serve(self, reader, writer):
        self.served.add(task := asyncio.current_task())
        try:
            await self._answer(reader, writer)
        except (OSError, EOFError, ValueError, asyncio.CancelledError):
            pass  # either side went away
        finally:
            self.served.discard(task)
            writer.close()

    async def _answer(self, reader, writer):
        first = b""
        while True:
            request = first + await reader.readuntil(b"\r\n\r\n")
            method, path, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
            length = fields_of(request).get("content-length", 0)
            body = await reader.readexactly(int(length))
            self.requests.append((time.monotonic(), path))
            self.methods[method] += 1
            exchange = Exchange(path, lambda data=request + body: self._ask(data), writer)
            # What comes before the answer is the end. After it, it is the next request.
            peek = asyncio.ensure_future(reader.read(1))
            try:
                await self._meet(exchange, peek)
            finally:
                left = [each for each in (peek, exchange.asked) if each]
                for each in left:
                    each.cancel()
                await asyncio.wait(left)
            first = b"" if peek.cancelled() else peek.result()

    async def _meet(self, exchange, peek):
        """Answers by the fault in force, and by another one as soon as that changes. What has begun ends then with its
        connection."""
        while True:
            fault, changed = self.fault or passes, asyncio.ensure_future(self.changed.wait())
            work = asyncio.ensure_future(fault(exchange))
            try:
                await asyncio.wait([work, peek, changed], return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    return work.result()
                if peek.done() or exchange.has_begun:
                    raise ConnectionError("gone")
            finally:
                for each in (work, changed):
                    each.cancel()
                await asyncio.wait([work, changed])

    async def _ask(self, request):
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=LIMIT)
        try:
            writer.write(request)
            line, *_ = (top := await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = fields_of(top)
            if fields.pop("transfer-encoding", "") == "chunked":
                body = b""
                while size := int(await reader.readline(), 16):
                    body += (await reader.readexactly(size + 2))[:-2]
            else:
                body = await reader.readexactly(int(fields.get("content-length", 0)))
            return line, fields | {"content-length": len(body)}, body
        finally:
            writer.close()


def fields_of(top):
    lines = top.decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if value}


async def passes(exchange):
    line, headers, body = await exchange.answer()
    await exchange.send(head(line, headers) + body)


# Faults. What tells of Consul, the index, is in their answers where that makes them harder to see through.

INDEX = {"X-Consul-Index": 1 << 40, "X-Consul-KnownLeader": "true", "X-Consul-LastContact": 0}


def status(code, text="No cluster leader"):
    async def answers(exchange):
        await exchange.reply(code, text.encode())

    return answers


async def garbage(exchange):
    await exchange.reply(200, random.Random(len(exchange.path)).randbytes(4_000), INDEX)


async def wrong_json(exchange):
    """Valid, and not what was asked for."""
    await exchange.reply(200, json.dumps([{"Node": 7, "Service": [None], "ID": {}}] * 50).encode(), INDEX)


async def html(exchange):
    await exchange.reply(200, b"<!doctype html><title>Sign in</title><h1>Please sign in</h1>",
                         {"Content-Type": "text/html"})


async def truncated(exchange):
    """Half of something that looks true, and then the end of the connection."""
    await exchange.reply(200, b'[{"Node":"node-1","Address":"127.0.0.1","ServiceID":"web', INDEX, length=100_000)
    raise ConnectionError("cut")


async def cut(exchange):
    raise ConnectionError("cut")


async def silent(exchange):
    await asyncio.sleep(3600)


async def drips(exchange):
    """A byte a second."""
    for byte in head("HTTP/1.1 200 OK", INDEX | {"Content-Length": 100_000}) + b"[" * 100_000:
        await exchange.send(bytes([byte]))
        await asyncio.sleep(1)


def endless(size=1 << 30, chunked=True):
    """A body of a gigabyte that is one long beginning of valid JSON."""
    filler = (b'{"Node":"node-1","Address":"127.0.0.1","ServiceID":"web","ServiceName":"web","ServicePort":80},' * 700)

    async def answers(exchange):
        fields = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": size}
        await exchange.send(head("HTTP/1.1 200 OK", INDEX | fields) + (b"1\r\n[\r\n" if chunked else b"["))
        for _ in range(0, size, len(filler)):
            await exchange.send(b"%x\r\n%s\r\n" % (len(filler), filler) if chunked else filler)

    return answers


def index(rewrite):
    """The agent's own answers with another index: `rewrite` gets it, and None leaves it out."""

    async def answers(exchange):
        line, headers, body = await exchange.answer()
        told = rewrite(int(headers.pop("x-consul-index", 0)))
        await exchange.send(head(line, headers | ({} if told is None else {"X-Consul-Index": told})) + body)

    return answers
