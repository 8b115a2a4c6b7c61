"""What can be wrong with a Nomad server, as a test orders it."""

import asyncio
from dataclasses import dataclass

from .nomad_http import Refusal, head


@dataclass
class Fault:
    path: str  # a prefix
    status: int
    body: str
    times: int | None = None  # None: until it is taken back


class Faults:
    def __init__(self):
        self.no_leader = False  # every read answers 500 "No cluster leader"
        self.mute = False  # streams stay open and say nothing, not even heartbeats
        self.stalled = None  # requests below this path are not answered
        self.cut = None  # requests below this path end the connection
        self.ordered = []

    def answer(self, path, status, body, times=None):
        self.ordered.append(Fault(path, status, body, times))

    def heal(self):
        self.__init__()

    async def meet(self, request):
        if self.cut is not None and request.path.startswith(self.cut):
            raise ConnectionError("cut")
        while self.stalled is not None and request.path.startswith(self.stalled):
            await asyncio.sleep(0.05)
        for fault in list(self.ordered):
            if request.path.startswith(fault.path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.ordered.remove(fault)
                if fault.status != 200:
                    raise Refusal(fault.status, fault.body)
                data = fault.body.encode()
                headers = {"Content-Type": "application/json", "Content-Length": len(data), "X-Nomad-Index": 1 << 40}
                request.writer.write(head(200, headers) + data)
                raise ConnectionError("said what it was told to")
