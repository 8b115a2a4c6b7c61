"""When a change arrives in the traffic: one request after the other, as fast as they are answered."""

import http.client
import time


class Probe:
    """A client of one listener with one connection, which is as quick as a change can be seen."""

    def __init__(self, port, host, path="/"):
        self.port, self.host, self.path = port, host, path
        self.connection = None

    def ask(self):
        """(status, body); an error is status 0."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            self.connection.request("GET", self.path, headers={"host": self.host})
            response = self.connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return 0, ""

    def until(self, good, in_a_row=1, timeout=10.0):
        """The seconds until answers are good that stay good `in_a_row` times: to the first of those."""
        begin = time.monotonic()
        first, run = None, 0
        while True:
            asked = time.monotonic()
            if good(*self.ask()):
                first = first if run else asked
                run += 1
                if run >= in_a_row:
                    return max(0.0, first - begin)
            else:
                run = 0
            if asked - begin > timeout:
                raise AssertionError(f"not within {timeout} s for {self.host}{self.path}")


def percentile(values, share):
    """In the order of their size, the first that is not smaller than `share` (0 to 1) of them."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share * 1000) // 1000) - 1)]
