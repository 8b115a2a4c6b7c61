"""The event stream: one JSON document a line, for as long as both sides keep up."""

import asyncio
import json
import time

from .nomad_acl import is_management, may, require
from .nomad_http import Refusal, head

JOB_TOPICS = ("Deployment", "Evaluation", "Allocation", "Job", "Service")


class Stream:
    """One subscription. `server.chunked`: as older releases frame it, else the end of the connection is its end."""

    def __init__(self, server, request):
        self.server, self.request, self.writer = server, request, request.writer
        try:
            self.index = int(request.get("index") or 0)
        except ValueError:
            raise Refusal(400, "Unable to parse index: invalid syntax") from None
        self.namespace = request.get("namespace") or "default"
        self.topics = {}
        for topic in request.query.get("topic", ["*"]):
            name, *key = topic.split(":")
            if len(key) > 1:
                raise Refusal(400, f"Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: {topic}")
            self.topics.setdefault(name, set()).update(key or ["*"])
        self.ended = asyncio.Event()

    def allowed(self, rights):
        return all(
            may(rights, self.namespace) if topic in JOB_TOPICS
            else is_management(rights) or topic == "Node" and rights["node"]
            for topic in self.topics)

    def takes(self, event):
        if self.namespace != "*" and event["Namespace"] not in ("", self.namespace):
            return False
        keys = self.topics.get(event["Topic"], set()) | self.topics.get("*", set())
        return "*" in keys or not keys.isdisjoint([event["Key"], *(event["FilterKeys"] or ())])

    def still_allowed(self):
        try:
            return self.allowed(self.server.tokens.resolve(self.request.token, self.request.is_task_api))
        except Refusal:
            return False

    async def run(self):
        self.server.api.reach(self.request)
        require(self.allowed(self.request.rights))
        headers = {"Content-Type": "application/json", "Cache-Control": "no-cache"}
        headers |= {"Transfer-Encoding": "chunked"} if self.server.chunked else {"Connection": "close"}
        self.server.streams.add(self)
        try:
            with self.server.state.lock:
                buffer = self.server.state.buffer
                place = buffer.place(self.index)
            self.writer.transport.set_write_buffer_limits(high=self.server.write_buffer)
            self.writer.write(head(200, headers))
            await self.line({})
            await self.follow(buffer, place)
            if self.server.chunked:
                self.writer.write(b"0\r\n\r\n")
        except LookupError:
            pass  # too slow: the stream just ends
        finally:
            self.server.streams.discard(self)

    async def follow(self, buffer, place):
        beat = time.monotonic() + self.server.heartbeat
        while not self.ended.is_set() and buffer is self.server.state.buffer:
            woken = self.server.event_gate()
            with self.server.state.lock:
                item = buffer.read(place)
            if item is not None:
                place += 1
                if events := [each for each in item[1] if self.takes(each)]:
                    await self.line({"Index": item[0], "Events": events})
                continue
            try:
                await asyncio.wait_for(woken.wait(), max(0, beat - time.monotonic()))
            except TimeoutError:
                beat = time.monotonic() + self.server.heartbeat
                await self.line({})

    async def line(self, value):
        if self.server.faults.mute:
            return
        data = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        if self.server.chunked:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), self.server.write_deadline)
