"""An xDS client that does what its test says and nothing else. The four variants of the transport have one interface:

    subscribe, unsubscribe      what real clients send to change what they want
    expect                      the next response of a type; nobody has answered it yet
    ack, nack                   answer it, and change the subscription in the same message if asked to
    take                        expect and ack
    holding                     take until the client holds exactly this
    quiet                       nothing comes
    resume                      the first request of a client that reconnects
    send                        a request, field by field, for what real clients would not say
"""

import threading
import time
from dataclasses import dataclass, field

import grpc
from envoy.config.core.v3.base_pb2 import Node
from envoy.service.discovery.v3.discovery_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)
from google.rpc.status_pb2 import Status

from stream import QUIET, SOON, Stream

ADS = "envoy.service.discovery.v3.AggregatedDiscoveryService"


@dataclass
class Subscription:
    """What a client remembers of one type."""

    wanted: list = field(default_factory=list)
    named: bool = False  # whether a name was ever asked for: then an empty list is no wildcard
    wildcard: bool = False
    version: str = ""  # SotW: what it last accepted
    nonce: str = ""  # of the newest response
    held: dict = field(default_factory=dict)  # name -> number
    versions: dict = field(default_factory=dict)  # delta: name -> version


class Client:
    """A client, on a connection of its own if it is not given one. Its node goes with the first request of each
    stream."""

    label = None
    aggregated = None
    prefix = request = response = None  # of the methods, and their messages

    def __init__(self, address, node=Node(id="conformance", cluster="tests"), channel=None):
        self.address, self.node = address, node
        self.channel = channel or grpc.insecure_channel(address, [
            ("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1),
        ])
        self.changed, self.streams, self.subscriptions = threading.Condition(), {}, {}

    # What real clients say.

    def subscribe(self, kind, *names):
        """Without names it is the legacy wildcard, if it is the first request of its type."""
        self.say(kind, subscribe=names)

    def unsubscribe(self, kind, *names):
        self.say(kind, unsubscribe=names)

    def ack(self, response, subscribe=(), unsubscribe=()):
        self.accept(response)
        self.say(response.kind, subscribe, unsubscribe, answering=response)

    def nack(self, response, subscribe=(), unsubscribe=(), words="refused by a test"):
        error = Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0], message=words)
        self.say(response.kind, subscribe, unsubscribe, answering=response, error=error)

    def reconnected(self):
        """Another client that knows what this one knows, on a new connection; the old one is closed."""
        self.close()
        client = type(self)(self.address, self.node)
        client.subscriptions = self.subscriptions
        for subscription in client.subscriptions.values():
            subscription.nonce = ""
        return client

    def say(self, kind, subscribe=(), unsubscribe=(), answering=None, error=None):
        raise NotImplementedError

    def accept(self, response):
        raise NotImplementedError

    def resume(self, kind):
        raise NotImplementedError

    def is_wildcard(self, before, subscribe, unsubscribe):
        raise NotImplementedError

    def remember(self, kind, subscribe, unsubscribe):
        """Brings what is wanted up to date, and drops what is not wanted any more."""
        now = self.of(kind)
        wanted = dict.fromkeys([*now.wanted, *subscribe])
        now.wildcard = self.is_wildcard(now, subscribe, unsubscribe)
        now.named = now.named or bool(subscribe)
        now.wanted = [name for name in wanted if name not in unsubscribe]
        if not now.wildcard:
            for name in set(now.held) - set(now.wanted):
                now.held.pop(name), now.versions.pop(name, None)
        return now

    # What comes.

    def expect(self, *kinds, timeout=SOON):
        """The next response of one of these types, or of any."""
        with self.changed:
            self.changed.wait_for(lambda: self._next(kinds) or self._over(kinds), timeout)
            found = self._next(kinds)
            if not found:
                raise AssertionError(f"no response of {kinds or 'any type'} within {timeout:.1f} s; {self._story()}")
            stream, response = found
            stream.inbox.remove(response)
        if response.kind:
            self.of(response.kind).nonce = response.nonce
        return response

    def take(self, *kinds, timeout=SOON):
        response = self.expect(*kinds, timeout=timeout)
        self.ack(response)
        return response

    def holding(self, kind, content, timeout=SOON):
        """Takes responses until it holds exactly this (name -> number); returns those that it took."""
        deadline, taken = time.monotonic() + timeout, []
        while self.held(kind) != content:
            try:
                taken.append(self.take(kind, timeout=max(0, deadline - time.monotonic())))
            except AssertionError as error:
                held, wanted = (str(dict(sorted(each.items())))[:500] for each in (self.held(kind), content))
                raise AssertionError(f"{kind}: holds {held} and should hold {wanted}: {error}") from None
        return taken

    def settle(self, *kinds):
        """Takes what comes until nothing comes any more, where the server may choose whether it sends something."""
        taken = []
        while self._comes(kinds, QUIET):
            taken.append(self.take(*kinds, timeout=0))
        return taken

    def quiet(self, *kinds):
        """Nothing comes, of these types or of any, and no stream ends."""
        if self._comes(kinds, QUIET):
            raise AssertionError(f"something came and nothing should: {self._story()}")

    def has_come(self):
        """Whether there is something to expect."""
        with self.changed:
            return self._next(()) is not None

    def wait(self):
        """Until there is something to expect, of which the client knows nothing yet."""
        with self.changed:
            self.changed.wait_for(lambda: self._next(()), SOON)

    def held(self, kind):
        return self.of(kind).held

    # Streams.

    def of(self, kind):
        return self.subscriptions.setdefault(kind, Subscription())

    def method(self, kind):
        return f"/{ADS}/{self.prefix}AggregatedResources" if self.aggregated else (
            f"/{kind.service}/{self.prefix}{kind.plural}")

    def stream(self, kind):
        """The stream on which this type is spoken of, opened now if it is not."""
        method = self.method(kind)
        if method not in self.streams:
            self.streams[method] = Stream(self.channel, method, self.request, self.response, self.changed)
        return self.streams[method]

    def post(self, kind, request):
        stream = self.stream(kind)
        if not stream.sent and self.node is not None:
            request.node.CopyFrom(self.node)
        stream.send(request)

    def faults(self):
        """What responses of any of the streams broke that holds for all responses."""
        with self.changed:
            return [fault for stream in self.streams.values() for fault in stream.faults]

    def close(self):
        for stream in self.streams.values():
            stream.close()
        self.channel.close()

    def _next(self, kinds):
        pairs = ((stream, stream.first(kinds)) for stream in self.streams.values())
        return next((pair for pair in pairs if pair[1]), None)

    def _over(self, kinds):
        methods = [self.method(kind) for kind in kinds] or self.streams
        return any(self.streams[method].status for method in methods if method in self.streams)

    def _comes(self, kinds, seconds):
        with self.changed:
            return self.changed.wait_for(lambda: self._next(kinds) or self._over(kinds), seconds)

    def _story(self):
        return "; ".join(
            f"{stream.method.split('/')[-1]}: not read {stream.inbox}"
            + (f", ended with {stream.status.name}: {stream.details}" if stream.status else "")
            for stream in self.streams.values()
        )


class SotW(Client):
    """State of the world: each request names all that is wanted."""

    prefix, request, response = "Stream", DiscoveryRequest, DiscoveryResponse

    def is_wildcard(self, before, subscribe, unsubscribe):
        if "*" in subscribe or "*" in unsubscribe:
            return "*" in subscribe
        # Without a name it is the legacy wildcard, until one was named.
        return "*" in before.wanted or not (before.named or subscribe)

    def say(self, kind, subscribe=(), unsubscribe=(), answering=None, error=None):
        now = self.remember(kind, subscribe, unsubscribe)
        nonce = answering.nonce if answering else now.nonce
        self.send(kind, now.wanted, version=now.version, nonce=nonce, error=error)

    def accept(self, response):
        subscription = self.of(response.kind)
        subscription.version = response.version
        if response.kind.is_whole:
            subscription.held = response.content
        else:
            subscription.held |= response.content

    def resume(self, kind):
        self.say(kind)

    def send(self, kind, names=(), version="", nonce="", error=None, type_url=None):
        self.post(kind, DiscoveryRequest(
            version_info=version, resource_names=names, response_nonce=nonce, error_detail=error,
            type_url=kind.url if type_url is None else type_url,
        ))


class Delta(Client):
    """Incremental: requests and responses say what is different."""

    prefix, request, response = "Delta", DeltaDiscoveryRequest, DeltaDiscoveryResponse

    def is_wildcard(self, before, subscribe, unsubscribe):
        if "*" in subscribe or "*" in unsubscribe:
            return "*" in subscribe
        return before.wildcard or not (before.named or subscribe)

    def say(self, kind, subscribe=(), unsubscribe=(), answering=None, error=None):
        self.remember(kind, subscribe, unsubscribe)
        self.send(kind, subscribe, unsubscribe, nonce=answering.nonce if answering else "", error=error)

    def accept(self, response):
        subscription = self.of(response.kind)
        subscription.held |= response.content
        subscription.versions |= response.versions
        for name in response.removed:
            subscription.held.pop(name, None), subscription.versions.pop(name, None)

    def resume(self, kind):
        now = self.of(kind)
        self.send(kind, now.wanted, versions=now.versions)

    def send(self, kind, subscribe=(), unsubscribe=(), versions=None, nonce="", error=None, type_url=None):
        self.post(kind, DeltaDiscoveryRequest(
            resource_names_subscribe=subscribe, resource_names_unsubscribe=unsubscribe, response_nonce=nonce,
            initial_resource_versions=versions, error_detail=error, type_url=kind.url if type_url is None else type_url,
        ))


class SotWADS(SotW):
    label, aggregated = "SotW ADS", True


class DeltaADS(Delta):
    label, aggregated = "delta ADS", True


class SotWPerType(SotW):
    label, aggregated = "SotW per type", False


class DeltaPerType(Delta):
    label, aggregated = "delta per type", False


ALL = (SotWADS, DeltaADS, SotWPerType, DeltaPerType)
SOTW = (SotWADS, SotWPerType)
DELTA = (DeltaADS, DeltaPerType)
AGGREGATED = (SotWADS, DeltaADS)
PER_TYPE = (SotWPerType, DeltaPerType)
