"""HTTP/1.1 as Nomad's agent serves it: keep-alive, gzip, text errors, 100 connections a client, TLS and Unix sockets."""

import asyncio
import gzip
import json
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

LIMIT = 100  # limits.http_max_conns_per_client
TOO_MANY = b"Your IP is issuing too many concurrent connections, please rate limit your calls\n"


class Refusal(Exception):
    """An answer that is an error: its body is text."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status, self.text = status, text


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes
    writer: asyncio.StreamWriter = None
    is_task_api: bool = False

    def get(self, name, default=""):
        return self.query.get(name, [default])[0]

    @property
    def token(self):
        bearer = self.headers.get("authorization", "")
        return self.headers.get("x-nomad-token") or (bearer[7:].strip() if bearer[:7].lower() == "bearer " else "")


@dataclass
class Answer:
    body: object = None  # None: no body at all
    status: int = 200
    headers: dict = field(default_factory=dict)


REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 429: "Too Many Requests", 500: "Internal Server Error"}


def head(status, headers):
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


class Listener:
    """One port or socket. `handle(request)` gives an Answer, raises Refusal, or has answered and returns None."""

    def __init__(self, handle, is_task_api=False, limit=LIMIT):
        self.handle, self.is_task_api, self.limit = handle, is_task_api, limit
        self.connections, self.most, self.accepted, self.requests = Counter(), 0, 0, Counter()
        self.open = set()

    async def listen(self, address=None, port=None, path=None, tls=None):
        if path:
            self.server = await asyncio.start_unix_server(self.serve, path)
        else:
            self.server = await asyncio.start_server(self.serve, address, port, ssl=tls, backlog=1024)

    def close(self):
        self.server.close()
        for writer in list(self.open):
            writer.transport.abort()

    async def serve(self, reader, writer):
        peer = (writer.get_extra_info("peername") or ("",))[0]
        self.connections[peer] += 1
        self.accepted += 1
        self.most = max(self.most, self.connections[peer])
        self.open.add(writer)
        try:
            if peer and self.limit and self.connections[peer] > self.limit:
                headers = {"Content-Type": "text/plain", "Content-Length": len(TOO_MANY), "Connection": "close"}
                writer.write(head(429, headers) + TOO_MANY)
                return
            while await self.one(reader, writer):
                pass
        except (asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
            pass
        finally:
            self.connections[peer] -= 1
            self.open.discard(writer)
            writer.close()

    async def one(self, reader, writer):
        """Reads one request and answers it. False: the connection is not used any more."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        url = urlsplit(target)
        query = parse_qs(url.query, keep_blank_values=True)
        request = Request(method, unquote(url.path), query, headers, body, writer, self.is_task_api)
        self.requests[request.path] += 1
        try:
            answer = await self.while_connected(reader, self.handle(request))
        except Refusal as refusal:
            answer = Answer(refusal.text, refusal.status, {"Content-Type": "text/plain; charset=utf-8"})
        if answer is None:
            return False
        return await self.send(answer, request, writer)

    async def while_connected(self, reader, work):
        """`work`, given up when the client hangs up in the middle of it."""
        work, gone = asyncio.ensure_future(work), asyncio.ensure_future(self.hung_up(reader))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise ConnectionError("the client is gone")
            return work.result()
        finally:
            work.cancel()
            gone.cancel()
            if work.done() and not work.cancelled():
                work.exception()  # nobody is left to hear of it

    async def hung_up(self, reader):
        while not reader.at_eof() and not reader.exception():
            await asyncio.sleep(0.05)

    async def send(self, answer, request, writer):
        headers = dict(answer.headers)
        if answer.body is None:
            body = b""
        elif isinstance(answer.body, str):
            body = answer.body.encode()
        else:
            indent = 4 if request.get("pretty", "0") != "0" else None
            body = json.dumps(answer.body, indent=indent, separators=None if indent else (",", ":")).encode()
            headers.setdefault("Content-Type", "application/json")
        headers["Vary"] = "Accept-Encoding"
        if body and "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = len(body)
        closes = request.headers.get("connection", "").lower() == "close"
        if closes:
            headers["Connection"] = "close"
        writer.write(head(answer.status, headers) + body)
        await writer.drain()
        return not closes
