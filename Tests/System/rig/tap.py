"""A tap between Envoy and Signalbox: passes every xDS message on, and keeps it. Needs grpcio and xds-protos."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from envoy.service.discovery.v3 import discovery_pb2

from .processes import free_port

# The short names that /state uses.
TYPES = {
    "Cluster": "CDS", "ClusterLoadAssignment": "EDS", "Listener": "LDS", "RouteConfiguration": "RDS",
    "VirtualHost": "VHDS", "Secret": "SDS", "ScopedRouteConfiguration": "SRDS", "Runtime": "RTDS",
    "TypedExtensionConfig": "ECDS",
}


@dataclass(slots=True)
class Said:
    """A message of Envoy's (a request) or Signalbox's."""

    at: float
    stream: int
    is_request: bool
    message: object

    @property
    def kind(self):
        return TYPES.get(self.message.type_url.rpartition(".")[2], self.message.type_url)

    @property
    def resources(self):
        """name -> bytes, of a delta response. A heartbeat or "there is none" has no bytes."""
        return {each.name: each.resource.value for each in self.message.resources}

    def __str__(self):
        shown = type(self.message).FromString(self.message.SerializeToString())
        if self.is_request:
            shown.ClearField("node")  # half of it is the list of Envoy's extensions
        text = " ".join(str(shown).split())
        return f"{self.stream} {'>' if self.is_request else '<'} {self.kind} {text[:300]}"


class Tap(grpc.GenericRpcHandler):
    """Stands in for Signalbox at an address of its own; `target` may change, for the streams to come.

    `hook` is called with each response before it is passed on, in the thread of its stream.
    """

    def __init__(self, target):
        self.target, self.said, self.streams, self.hook = target, [], 0, lambda said: None
        self.calls, self.lock = {}, threading.Lock()
        self.xds = f"127.0.0.1:{free_port()}"
        self.server = grpc.server(ThreadPoolExecutor(64), [self])
        self.server.add_insecure_port(self.xds)
        self.server.start()

    def stop(self):
        self.cut()
        self.server.stop(None)

    def cut(self):
        """Ends every stream; Envoy opens others."""
        with self.lock:
            calls = list(self.calls.values())
        for call in calls:
            call.cancel()

    def service(self, details):
        is_delta = "/Delta" in details.method
        request, response = (
            (discovery_pb2.DeltaDiscoveryRequest, discovery_pb2.DeltaDiscoveryResponse) if is_delta else
            (discovery_pb2.DiscoveryRequest, discovery_pb2.DiscoveryResponse)
        )

        def serve(requests, context):
            with self.lock:
                self.streams += 1
                stream = self.streams
            with grpc.insecure_channel(self.target, [("grpc.use_local_subchannel_pool", 1),
                                                     ("grpc.max_receive_message_length", -1)]) as channel:
                call = channel.stream_stream(details.method)(self.keep(requests, stream, request))
                with self.lock:
                    self.calls[stream] = call
                context.add_callback(call.cancel)
                try:
                    yield from self.keep(call, stream, response)
                except grpc.RpcError as error:
                    context.abort(grpc.StatusCode.UNAVAILABLE, error.details() or "")
                finally:
                    with self.lock:
                        del self.calls[stream]

        return grpc.stream_stream_rpc_method_handler(serve)

    def keep(self, messages, stream, message):
        is_request = message.DESCRIPTOR.name.endswith("Request")
        for data in messages:
            said = Said(time.monotonic(), stream, is_request, message.FromString(data))
            self.said.append(said)
            if not is_request:
                self.hook(said)
            yield data

    def responses(self, kind=None, since=0):
        return [each for each in self.said[since:] if not each.is_request and kind in (None, each.kind)]

    def requests(self, kind=None, since=0):
        return [each for each in self.said[since:] if each.is_request and kind in (None, each.kind)]
