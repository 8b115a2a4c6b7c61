"""The base of every conformance test, and the decorator that makes one test of each variant and type."""

import unittest

from world import Server, World


def over(variants, things=()):
    """Makes a test for each of these variants of the transport, times each of these things, mostly types, that the test
    then takes as an argument. Both are in its name."""

    def mark(function):
        function.cases = [(variant, thing) for variant in variants for thing in things or [None]]
        return function

    return mark


class ConformanceTest(unittest.TestCase):
    """A server with an empty world, and clients of the test's variant. Every response of the server is well-formed."""

    longMessage = True
    maxDiff = 2000

    def __init_subclass__(cls):
        for name, function in list(vars(cls).items()):
            if hasattr(function, "cases"):
                delattr(cls, name)
                for variant, thing in function.cases:
                    arguments = () if thing is None else (thing,)
                    title = ", ".join([name, variant.label, *map(str, arguments)])
                    setattr(cls, title, cls._case(function, variant, arguments))

    @staticmethod
    def _case(function, variant, arguments):
        def run(self):
            self.variant = variant
            function(self, *arguments)

        return run

    def setUp(self):
        self.server, self.clients = Server.mine(), []
        self.world = World(self.server)

    def tearDown(self):
        faults = [fault for client in self.clients for fault in client.faults()]
        for client in self.clients:
            client.close()
        self.assertEqual(faults, [], "what holds of every response")
        self.assertTrue(self.server.running, f"the server lives\n{self.server.log_tail()}")

    def client(self, **options):
        self.clients.append(self.variant(self.server.xds, **options))
        return self.clients[-1]

    def reconnected(self, client):
        self.clients.append(client.reconnected())
        return self.clients[-1]
