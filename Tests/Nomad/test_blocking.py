"""Blocking queries: https://developer.hashicorp.com/nomad/api-docs#blocking-queries"""

import threading
import time

from rig.processes import eventually
from target import NomadTest


class Asking(NomadTest):
    def asked(self, ask):
        """Starts a query; a function that waits for (seconds it took, its answer)."""
        box, began = [], time.monotonic()
        thread = threading.Thread(target=lambda: box.append((ask(), time.monotonic() - began)))
        thread.start()

        def answer(timeout=10):
            thread.join(timeout)
            self.assertTrue(box, "the query is still blocked")
            return box[0][1], box[0][0]

        answer.waits = lambda: not box
        return answer


class Blocking(Asking):
    def test_without_an_index_the_answer_comes_at_once(self):
        took, _ = self.asked(lambda: self.go.services.list(self.query(wait_time=5)))()
        self.assertLess(took, 1)

    def test_a_change_wakes_it(self):
        self.target.run("web")
        eventually(lambda: self.go.services.get("web")[0])
        _, meta = self.go.services.get("web")
        answer = self.asked(lambda: self.go.services.get("web", self.query(wait_index=meta.last_index, wait_time=60)))
        time.sleep(0.2)
        self.assertTrue(answer.waits())
        self.target.run("web", 2)
        took, (found, after) = answer(30)
        self.assertGreater(after.last_index, meta.last_index)
        self.notes.append(f"woke after {took:.3f} s")

    def test_nothing_happens_and_it_returns_after_wait_and_a_sixteenth(self):
        _, meta = self.go.services.list()
        took, (_, after) = self.asked(lambda: self.go.services.list(self.query(wait_index=meta.last_index, wait_time=1)))()
        self.assertGreaterEqual(took, 1)
        self.assertLess(took, 1 + 1 / 16 + 0.3)
        self.assertEqual(after.last_index, meta.last_index)

    def test_an_index_from_the_future_waits_and_brings_the_real_one(self):
        _, meta = self.go.services.list()
        took, (_, after) = self.asked(lambda: self.go.services.list(self.query(wait_index=meta.last_index + 10**6, wait_time=1)))()
        self.assertGreaterEqual(took, 1)
        self.assertEqual(after.last_index, meta.last_index)

    def test_what_is_no_index_and_what_is_no_time_is_refused(self):
        self.assertEqual(self.get("/v1/services?index=x")[::2], (400, "Invalid index"))
        self.assertEqual(self.get("/v1/services?wait=x")[::2], (400, "Invalid wait time"))
        self.assertEqual(self.get("/v1/services?wait=250ms")[0], 200)


class OwnRows(Asking):
    stand_in_only = True

    def test_another_service_raises_the_index_and_wakes_nobody(self):
        self.target.run("web")
        _, meta = self.go.services.get("web")
        answer = self.asked(lambda: self.go.services.get("web", self.query(wait_index=meta.last_index, wait_time=1)))
        time.sleep(0.1)
        self.target.run("other")
        time.sleep(0.2)
        self.assertTrue(answer.waits())
        took, (found, after) = answer()
        self.assertGreaterEqual(took, 1)
        self.assertGreater(after.last_index, meta.last_index)
        self.assertEqual(len(found), 1)

    def test_a_list_wakes_for_every_service(self):
        self.target.run("web")
        _, meta = self.go.services.list()
        answer = self.asked(lambda: self.go.services.list(self.query(wait_index=meta.last_index, wait_time=10)))
        time.sleep(0.1)
        self.target.run("other")
        self.assertLess(answer()[0], 1)

    def test_a_restored_snapshot_wakes_everybody(self):
        self.target.run("web")
        _, meta = self.go.services.get("web")
        answer = self.asked(lambda: self.go.services.get("web", self.query(wait_index=meta.last_index + 5, wait_time=1)))
        self.server.wipe()
        took, (found, after) = answer()
        self.assertEqual(found, [])
        self.assertLess(after.last_index, meta.last_index)

