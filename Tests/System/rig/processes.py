"""Child processes on ports of their own, each with a log file, none of which outlives its parent."""

import atexit
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


_given = set()  # whoever was given a port may not listen on it yet


def free_port(prefer=None):
    """A port that nobody listens on: the preferred one if it can be had. Outside the range the kernel hands out, and never
    one that was given before."""
    for port in [prefer] * (prefer is not None) + random.sample(range(20_000, 32_000), 100):
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
                _given.add(port)
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def eventually(probe, timeout=10.0, what="", interval=0.01):
    """The first true answer of `probe`; exceptions count as no answer. What it last said goes into the failure."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            last = probe()
            if last:
                return last
        except Exception as error:  # a process that is not up yet, a body that is not there yet
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or probe.__name__} (last: {last!r})")
        time.sleep(interval)


def http_get(url, timeout=2.0):
    """(status, body as text); any status is an answer."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Process:
    """One child. Its output is appended to `<scratch>/<name>.log`, across restarts."""

    def __init__(self, name, command, scratch, environment=None):
        self.name, self.command = name, [str(part) for part in command]
        self.log = Path(scratch) / f"{name}.log"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("SIGNALBOX_")}
        self.environment = clean | (environment or {})
        self.child = None
        atexit.register(self.kill)

    def start(self):
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                start_new_session=True,  # a terminal's Ctrl-C is for the parent, which stops its children in order
            )
        return self

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def stop(self, timeout=10.0):
        """SIGTERM, and SIGKILL after `timeout`. The exit code, or None if it had to be killed."""
        if not self.running:
            return self.child and self.child.returncode
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self):
        if self.running:
            self.child.kill()
            self.child.wait()

    def resident_megabytes(self):
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def log_tail(self, lines=15):
        text = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"--- {self.log}\n" + "\n".join(text[-lines:])
