"""The event stream: https://developer.hashicorp.com/nomad/api-docs/events"""

import http.client
import json
import queue
import threading
import time
from urllib.parse import urlsplit

from rig.processes import eventually
from target import NomadTest

ALL = "topic=Service&topic=Allocation&topic=Deployment&topic=Node"


class Reader:
    """Lines as they come: `line(timeout)`; None is the end."""

    def __init__(self, url, query, token=None):
        place = urlsplit(url)
        self.connection = http.client.HTTPConnection(place.hostname, place.port)
        self.connection.request("GET", f"/v1/event/stream?{query}", headers={"X-Nomad-Token": token} if token else {})
        self.answer = self.connection.getresponse()
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while line := self.answer.readline():
                self.lines.put(json.loads(line))
        except (AttributeError, OSError, ValueError, http.client.HTTPException):  # closed by the test
            pass
        self.lines.put(None)

    def line(self, timeout=5):
        return self.lines.get(timeout=timeout)

    def events(self, seconds=0.3):
        """Everything until nothing but heartbeats came for a while."""
        found, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                line = self.lines.get(timeout=0.05)
            except queue.Empty:
                continue
            if line is None:
                break
            if line:
                deadline = time.monotonic() + seconds
                found += line["Events"]
        return found


class Reading(NomadTest):
    def reader(self, query=ALL, token=None):
        reader = Reader(self.url, query, token)
        self.addCleanup(reader.connection.close)
        return reader


class Events(Reading):
    def test_the_first_line_comes_at_once_and_is_empty(self):
        began = time.monotonic()
        reader = self.reader(ALL + "&index=1000000")
        self.assertEqual(reader.line(), {})
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual(reader.answer.getheader("Content-Type"), "application/json")
        self.assertEqual(reader.answer.getheader("Cache-Control"), "no-cache")

    def test_both_clients_hear_of_an_allocation_and_its_service(self):
        found = {}
        stream, end, events = self.python.event.stream.get_stream(topic="Allocation", timeout=20)
        stream.daemon = True
        stream.start()
        self.target.run("web")
        for batch in self.go.event_stream.stream({"Allocation": ["*"], "Service": ["*"]}, timeout=20):
            for event in batch.events:
                found[event.topic] = event
            if len(found) == 2:
                break
        service = found["Service"].service()
        self.assertEqual((found["Service"].type, found["Service"].key), ("ServiceRegistration", service.id))
        self.assertEqual(found["Service"].filter_keys, ["web", "web"])
        allocation = found["Allocation"].allocation()
        self.assertEqual((allocation.id, allocation.job_id), (service.alloc_id, "web"))
        self.assertIsNone(allocation.job)
        self.assertTrue(allocation.deployment_id)
        self.assertTrue(events.get(timeout=10)["Events"])
        end.set()
        self.target.run("other")  # it looks whether it shall end when something comes
        stream.join(10)

    def test_topics_and_keys_choose(self):
        reader = self.reader("topic=Allocation:web&index=1000000")
        self.target.run("web")
        self.target.run("other")
        eventually(lambda: self.go.services.get("other")[0], 30)
        events = reader.events(1)
        self.assertEqual({each["Topic"] for each in events}, {"Allocation"})
        self.assertEqual({each["Payload"]["Allocation"]["JobID"] for each in events}, {"web"})

    def test_an_index_starts_there(self):
        self.target.run("web")
        time.sleep(0.2)
        meta = self.go.allocations.list()[1]
        reader = self.reader(f"{ALL}&index={meta.last_index + 1}")
        self.target.run("other")
        eventually(lambda: self.go.services.get("other")[0], 30)
        indexes = [each["Index"] for each in reader.events(1)]
        self.assertEqual(indexes, sorted(indexes))

    def test_what_is_no_index_or_topic_is_refused(self):
        self.assertEqual(self.get("/v1/event/stream?index=x")[0], 400)
        self.assertEqual(self.get("/v1/event/stream?topic=a:b:c")[0], 400)


class Streams(Reading):
    stand_in_only = True

    def test_heartbeats_say_that_it_lives(self):
        reader = self.reader()
        self.assertEqual([reader.line(2) for _ in range(3)], [{}, {}, {}])

    def test_a_decision_is_heard_within_milliseconds(self):
        id, = self.target.run("web")
        reader = self.reader("topic=Allocation&index=1000000")
        reader.events()
        took = []
        for round in range(20):
            began = time.monotonic()
            self.target.cluster.migrate(id)
            event = eventually(lambda: reader.line() or False)["Events"][0]
            took.append(time.monotonic() - began)
            self.assertEqual((event["Type"], event["Key"]), ("AllocationUpdateDesiredStatus", id))
            self.assertTrue(event["Payload"]["Allocation"]["DesiredTransition"]["Migrate"])
        self.assertLess(max(took), 0.05)
        self.notes.append(f"{max(took) * 1000:.1f} ms at most")

    def test_a_deregistration_carries_what_was(self):
        self.target.run("web")
        one = self.go.services.get("web")[0][0]
        reader = self.reader("topic=Service&index=1000000")
        reader.events()
        self.go.services.delete("web", one.id)
        event, = reader.events()
        self.assertEqual((event["Type"], event["Key"]), ("ServiceDeregistration", one.id))
        self.assertEqual(event["Payload"]["Service"]["AllocID"], one.alloc_id)

    def test_only_the_last_hundred_changes_can_be_had_again(self):
        id, = self.target.run("web")
        for _ in range(150):
            last = self.target.cluster.migrate(id)
        events = self.reader("topic=*").events()
        self.assertEqual([each["Index"] for each in events], list(range(last - 99, last + 1)))
        events = self.reader(f"topic=*&index={last - 140}").events()  # skipped in silence
        self.assertEqual(events[0]["Index"], last - 99)
        events = self.reader(f"topic=*&index={last - 2}").events()
        self.assertEqual([each["Index"] for each in events], [last - 2, last - 1, last])

    def test_a_restart_forgets_them(self):
        self.target.run("web")
        reader = self.reader()
        reader.events()
        self.server.restart()
        self.assertEqual(reader.events(), [])
        self.assertEqual(self.reader().events(), [])
        self.assertEqual(len(self.go.services.get("web")[0]), 1)

    def test_a_slow_reader_is_cut(self):
        self.server.write_deadline, self.server.write_buffer = 0.3, 0
        id, = self.target.run("web", meta={"long": "x" * 10_000})
        place = urlsplit(self.url)
        import socket

        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((place.hostname, place.port))
            slow.sendall(b"GET /v1/event/stream?topic=* HTTP/1.1\r\nHost: x\r\n\r\n")
            eventually(lambda: self.server.streams)

            def publish():
                for _ in range(50):
                    self.server.state.upsert("JobRegistered", jobs=[self.server.state.rows("jobs")[0] | {"Meta": {"x": "y" * 50_000}}])
                return not self.server.streams

            eventually(publish, 20)

    def test_namespaces_are_kept_apart(self):
        reader = self.reader(ALL + "&index=1000000")
        both = self.reader(ALL + "&index=1000000&namespace=*")
        self.target.run("web", namespace="team-a")
        self.assertEqual([each for each in reader.events() if each["Topic"] != "Node"], [])
        self.assertIn("Service", {each["Topic"] for each in both.events()})

    def test_it_ends_when_its_token_is_revoked(self):
        self.server.tokens.enable()
        token = self.server.tokens.create({"*": {"read-job"}}, node=True)
        reader = self.reader(ALL + "&namespace=*", token)
        self.assertEqual(reader.line(), {})
        self.server.revoke(token)
        self.assertIsNone(eventually(lambda: [each for each in [reader.line(1)] if each is None])[0])
        self.assertEqual(self.get("/v1/event/stream", {"X-Nomad-Token": token})[::2], (403, "ACL token not found"))


class Chunked(Streams):
    """As older releases frame it."""

    options = {"chunked": True}

    def test_it_is_chunked(self):
        reader = self.reader()
        self.assertEqual(reader.answer.getheader("Transfer-Encoding"), "chunked")
        self.assertEqual(reader.line(), {})
        self.server.cut_streams()
        self.assertIsNone(eventually(lambda: [each for each in [reader.line(1)] if each is None])[0])
