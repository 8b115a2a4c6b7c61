"""One gRPC stream of a client."""

import queue
import threading

import grpc
from resources import Response

SOON = 10.0  # seconds until something that has to come counts as missing
QUIET = 0.5  # seconds after which something that must not come counts as not sent


class Stream:
    """One gRPC stream: what came, in its order, until a test asks for it, and the status with which it ended."""

    def __init__(self, channel, method, request, response, changed):
        self.method, self.changed = method, changed
        self.requests, self.sent = queue.SimpleQueue(), 0
        self.inbox, self.nonces, self.faults = [], set(), []
        self.status = self.details = None
        self.reads = threading.Event()
        self.reads.set()
        call = channel.stream_stream(method, request.SerializeToString, response.FromString)
        self.call = call(iter(self.requests.get, None))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self.call:
                self.reads.wait()  # while it waits, gRPC's flow control has the server wait
                self._received(Response(message))
        except grpc.RpcError:
            pass  # the status says it
        with self.changed:
            self.status, self.details = self.call.code(), self.call.details()
            self.changed.notify_all()

    def _received(self, response):
        with self.changed:
            self.faults += response.faults
            if response.nonce in self.nonces:
                self.faults.append(f"a nonce is of one response of a stream: {response}")
            self.nonces.add(response.nonce)
            self.inbox.append(response)
            self.changed.notify_all()

    def send(self, request):
        self.sent += 1
        self.requests.put(request)

    def first(self, kinds):
        """The oldest response of one of these types, or of any. Call with `changed` held."""
        return next((each for each in self.inbox if not kinds or each.kind in kinds), None)

    def half_close(self):
        self.requests.put(None)

    def ended(self, timeout=SOON):
        """The status with which the server ends the stream."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.status is not None, timeout):
                raise AssertionError(f"{self.method} did not end within {timeout} s; not read: {self.inbox}")
            return self.status

    def close(self):
        self.reads.set()
        self.half_close()
        self.call.cancel()
