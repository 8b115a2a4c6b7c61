"""A network of its own for a client, joined to ours by two addresses, that can be cut without a word. Needs root."""

import ctypes
import os
import subprocess
import threading

CLONE_NEWNET = 0x40000000


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"ip {' '.join(arguments)}: {done.stderr}")


class Namespace:
    """`address` is ours in it, to listen on."""

    def __init__(self):
        number = os.getpid()
        self.name, outside, self.inside = f"signalbox-{number}", f"sbo{number}", f"sbi{number}"
        network = f"10.{200 + number // 64 % 50}.{number // 16_384 % 250}.{number % 64 * 4}".rsplit(".", 1)
        self.address, peer = (f"{network[0]}.{int(network[1]) + last}" for last in (1, 2))
        ip("netns", "add", self.name)
        ip("link", "add", outside, "type", "veth", "peer", "name", self.inside, "netns", self.name)
        ip("addr", "add", f"{self.address}/30", "dev", outside)
        ip("link", "set", outside, "up")
        ip("-n", self.name, "addr", "add", f"{peer}/30", "dev", self.inside)
        ip("-n", self.name, "link", "set", self.inside, "up")

    def run(self, function):
        """Calls it in the namespace: the sockets that it makes stay there."""
        libc, results = ctypes.CDLL(None, use_errno=True), []

        def call():
            with open(f"/run/netns/{self.name}") as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            results.append(function())

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        return results[0]

    def cut(self):
        """What comes in is received, and nothing leaves any more, not even an acknowledgement."""
        ip("-n", self.name, "route", "add", "blackhole", f"{self.address}/32")

    def remove(self):
        ip("netns", "del", self.name)  # the link goes with it
