"""A stand-in for a Nomad server, exact to the HTTP API of Nomad 2.0.6-dev where services and allocations are concerned.

No package that tests can install has a Nomad; this one does what they tell it to, from Python or over HTTP
(`python3 -m rig.nomad_server --help`). `cluster` decides things as Nomad does; `faults` breaks things.
"""

import asyncio
import ssl
import threading

from .nomad_acl import Tokens
from .nomad_api import API
from .nomad_cluster import Cluster
from .nomad_faults import Faults
from .nomad_http import LIMIT, Listener
from .nomad_state import State


class NomadServer:
    """Listens between `start()` and `stop()`; the state outlives both, the event buffer does not."""

    version, region = "2.0.6", "global"
    heartbeat, write_deadline, write_buffer = 30.0, 40.0, 64 * 1024

    def __init__(self, address="127.0.0.1", port=4646, socket=None, tls=None, chunked=False, limit=LIMIT):
        """`socket`: a path, where the task API listens too. `tls`: (key, certificate[, client CA]) as paths."""
        self.address, self.port, self.socket, self.tls = address, port, socket, tls
        self.chunked, self.limit = chunked, limit
        self.regions, self.checks = {self.region}, {}
        self.tokens, self.faults, self.state = Tokens(), Faults(), State()
        self.api, self.streams, self.listeners = API(self), set(), []
        self.cluster = Cluster(self)
        self.loop = None

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://{self.address}:{self.port}"

    # Its life

    def start(self):
        self.loop = asyncio.new_event_loop()
        self.gate = asyncio.Event()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True, name=f"nomad {self.address}:{self.port}")
        self.thread.start()
        self.state.restarted()
        self.state.listeners = [self.changed]
        self.call(self.listen())
        return self

    def stop(self):
        if self.loop is None:
            return

        async def end():
            for listener in self.listeners:
                listener.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.cluster.cancel()
        self.state.listeners = []
        self.call(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.loop, self.listeners, self.api.waiters = None, [], {}
        self.streams.clear()

    def restart(self):
        """What was published meanwhile, and the events before, nobody is told any more."""
        self.stop()
        return self.start()

    def wipe(self, index=10):
        """As if its data directory were lost: nothing is known, and the index is small again."""
        self.state = State(index)
        self.state.listeners = [self.changed] if self.loop else []
        self.abandon()

    def abandon(self):
        """A snapshot was restored: every blocking query and stream ends."""
        if self.loop:
            self.loop.call_soon_threadsafe(self.api.wake, list(self.api.waiters))
            self.cut_streams()

    async def listen(self):
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls[1], self.tls[0])
            if len(self.tls) > 2:
                context.load_verify_locations(self.tls[2])
                context.verify_mode = ssl.CERT_REQUIRED
        listener = Listener(self.api.handle, limit=self.limit)
        await listener.listen(self.address, self.port, tls=context)
        self.port = listener.server.sockets[0].getsockname()[1]  # 0 was any; from now on it is this one
        self.listeners = [listener]
        if self.socket:
            self.listeners.append(Listener(self.api.handle, is_task_api=True, limit=0))
            await self.listeners[1].listen(path=self.socket)

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    # What happens in it

    def changed(self, names):
        loop = self.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.published, names)

    def published(self, names):
        self.api.wake(names)
        self.gate.set()
        self.gate = asyncio.Event()

    def event_gate(self):
        return self.gate

    def cut_streams(self):
        """Every event stream ends, as when a server loses its leadership."""
        self.loop.call_soon_threadsafe(self._end, list(self.streams))

    def revoke(self, secret):
        """The token is gone, and with it the streams that it opened: those just end."""
        self.tokens.by_secret.pop(secret, None)
        self.recheck()

    def recheck(self):
        """After a change of what tokens may."""
        self.loop.call_soon_threadsafe(lambda: self._end([each for each in self.streams if not each.still_allowed()]))

    def _end(self, streams):
        for stream in streams:
            stream.ended.set()
        self.gate.set()
        self.gate = asyncio.Event()

    # What tests ask about it

    @property
    def connections(self):
        """Open now, from clients of the port."""
        return sum(self.listeners[0].connections.values())

    @property
    def most_connections(self):
        return self.listeners[0].most

    def requests(self, path=None):
        counts = self.listeners[0].requests
        return sum(counts.values()) if path is None else counts[path]


if __name__ == "__main__":
    from .nomad_control import main

    main()
