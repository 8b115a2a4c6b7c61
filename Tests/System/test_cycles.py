"""C7: proxies that connect and go, and some that are turned away, leave nothing behind."""

from rig.bench import Herd
from rig.bystander import cpu_seconds
from rig.case import SystemTest, sized
from rig.documents import gateway, raw, route, service, together
from rig.http2 import Connection
from rig.processes import eventually
from rig.resources import route_configuration
from rig.xds import ADS, CDS, INVALID_ARGUMENT, delta, sotw

CYCLES = sized(10_000, 1_000)
TOGETHER = 100  # connections at a time
SERVICES = 50
LEFT = 1.05  # of the memory after as many cycles to warm up
PARTS = sized(5, 2)  # of a quarter: what the least of them costs, as whoever else is on this machine only adds to it
SLOWER = 1.3  # CPU time of a cycle in the last quarter, of that in the first


class Cycles(SystemTest):
    def setUp(self):
        super().setUp()
        web = self.upstream("web")
        names = [f"service-{number:02}" for number in range(SERVICES)]
        self.documents.write("edge.yaml", gateway(self.port, name="bench"))
        self.documents.write("services.yaml", together(*(service(name, web) for name in names)))
        self.documents.write("routes.yaml", together(*(route(name, gateway="bench") for name in names)))
        self.documents.write("routes.json", raw("routes", route_configuration("routes"), gateway="bench"))
        self.server = self.signalbox("--allow-envoy-resources", "--log-level", "error")

    def leaves_nothing(self, cycles):
        """`cycles` is called with how many to do: as many to warm up, and then four quarters."""
        cycles(CYCLES)
        warm, costs = self.settled_megabytes(), []
        for _ in range(4):
            costs.append(min(self.cost(cycles, CYCLES // 4 // PARTS) for _ in range(PARTS)))
        after = self.settled_megabytes()
        self.assertEqual(self.server.state()["streams"], [])
        self.note(f"2 x {CYCLES} cycles; {warm:.1f} MB after the first half, {after:.1f} MB after the second; "
                  f"{costs[0]:.2f} ms CPU a cycle in the first quarter of that, {costs[-1]:.2f} ms in the last")
        self.assertLessEqual(after, warm * LEFT, "megabytes")
        self.assertLessEqual(costs[-1], costs[0] * SLOWER, "ms a cycle")

    def cost(self, cycles, count):
        """CPU time of a cycle, in ms."""
        before = cpu_seconds(self.server)
        cycles(count)
        eventually(lambda: self.streams() == 0, 5, "no stream is left")
        return (cpu_seconds(self.server) - before) / count * 1000

    def settled_megabytes(self):
        """Resident memory when it has stopped to change."""
        figures = [self.server.resident_megabytes()]

        def calm():
            figures.append(self.server.resident_megabytes())
            return abs(figures[-1] - figures[-2]) < 0.1

        eventually(calm, 10, "memory settles", interval=0.3)
        return figures[-1]

    def streams(self):
        return self.server.metric("signalbox_xds_streams")

    def test_proxies_come_and_go(self):
        """Half of them over delta and half over SotW."""
        def cycles(count):
            herds = [Herd(self.server.xds, streams=TOGETHER // 2, variant=variant, cycles=count // 2)
                     for variant in ("delta", "sotw")]
            for herd in herds:
                self.assertEqual(herd.report()["cycles"], count // 2)

        self.leaves_nothing(cycles)

    def test_clients_without_a_node_are_turned_away(self):
        """Each on a connection of its own, by turns over delta and SotW."""
        def turned_away(count):
            for number in range(count):
                method, request = (("Delta", delta), ("Stream", sotw))[number % 2]
                connection = Connection(self.server.xds)
                call = connection.call(f"{ADS}{method}AggregatedResources")
                connection.say(call, request(CDS))
                connection.until(lambda call=call: call.over, 5, "the end of the stream")
                connection.close()
                self.assertEqual(call.status, INVALID_ARGUMENT)

        self.leaves_nothing(turned_away)
