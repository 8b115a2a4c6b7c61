"""A client that does what Envoy does."""

from client import DELTA
from resources import CDS, EDS, LDS, RDS, routes_of


class Proxy:
    """It wants all clusters and listeners, and by name what those refer to, for which it asks before it
    answers. `hasty` answers first. Keeps what came."""

    def __init__(self, client, hasty=False):
        self.client, self.hasty = client, hasty
        self.came, self.routes = [], {}  # routes: listener -> what it takes
        client.subscribe(CDS)
        client.subscribe(LDS)

    def follow(self, done):
        """Answers everything until this is true."""
        while not done():
            response = self.client.expect()
            self.came.append(response)
            self.answer(response)

    def answer(self, response):
        self.client.accept(response)
        if self.hasty:
            self.client.ack(response)
        if response.kind is LDS:
            self.routes |= {name: routes_of(each) for name, each in response.resources.items()}
        self._want(EDS, set(self.client.held(CDS)))
        self._want(RDS, {self.routes[name] for name in self.client.held(LDS)})
        if not self.hasty:
            self.client.ack(response)

    def _want(self, kind, names):
        before = set(self.client.of(kind).wanted)
        if names != before:
            self.client.say(kind, sorted(names - before), sorted(before - names))

    def when(self, kind, condition):
        """The place among all responses of the first of this type for which this holds."""
        return next((place for place, each in enumerate(self.came) if each.kind is kind and condition(each)), None)

    def when_sent(self, kind, name):
        return self.when(kind, lambda response: name in response.names)

    def when_gone(self, kind, name):
        if isinstance(self.client, DELTA):
            return self.when(kind, lambda response: name in response.removed)
        return self.when(kind, lambda response: name not in response.names)
