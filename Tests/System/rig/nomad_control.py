"""The stand-in as a process of its own, steered over HTTP.

    python3 -m rig.nomad_server --address 127.0.0.80 --port 4646 --control 4747
    curl -X POST 127.0.0.80:4747/cluster/run -d '{"job": "web", "places": [["10.0.0.1", 80]], "services": ["web"]}'
    curl -X POST 127.0.0.80:4747/cluster/stop -d '{"id": "...", "deregister_after": 2}'

`/cluster/X`, `/faults/X` and `/server/X` call that method of those with the JSON object's members as arguments (or set
that attribute to its `value`), and answer with what it returns.
"""

import argparse
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .nomad_cluster import Consul, Wish


def steer(server, path, arguments):
    """Does what a request to the control port asks for."""
    _, target, name = path.split("/")
    owner = {"cluster": server.cluster, "faults": server.faults, "server": server, "tokens": server.tokens}[target]
    if name.startswith("_"):
        raise KeyError(name)
    services = arguments.get("services")
    if isinstance(services, list):
        arguments["services"] = [each if isinstance(each, str) else Wish(**each) for each in services]
    if name == "run":
        arguments["places"] = [tuple(place) for place in arguments["places"]]
    member = getattr(owner, name)
    if callable(member):
        return member(**arguments)
    if "value" in arguments:
        setattr(owner, name, arguments["value"])
    return getattr(owner, name)


class Control:
    def __init__(self, server, address, port):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                try:
                    status, answer = 200, steer(server, self.path, json.loads(body or b"{}"))
                except Exception as error:
                    status, answer = 400, f"{type(error).__name__}: {error}"
                data = json.dumps(answer, default=lambda _: None).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer((address, port), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


def main():
    from .nomad_server import NomadServer

    parser = argparse.ArgumentParser(description="A stand-in for a Nomad server.")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4646, help="0 for any: both ports are said when it listens")
    parser.add_argument("--control", type=int, help="the port that tests steer it on, 0 for any")
    parser.add_argument("--socket", help="where the task API listens, too")
    parser.add_argument("--chunked", action="store_true", help="frame the event stream as older releases do")
    parser.add_argument("--heartbeat", type=float, default=30.0, help="seconds")
    parser.add_argument("--consul", help="the URL of the agent where services of that provider are registered")
    options = parser.parse_args()
    server = NomadServer(options.address, options.port, socket=options.socket, chunked=options.chunked)
    server.heartbeat = options.heartbeat
    server.cluster.consul = Consul(options.consul) if options.consul else None
    server.start()
    control = None if options.control is None else Control(server, options.address, options.control).port
    print(f"{server.port} {control or ''}", flush=True)
    wait(until_orphaned=control is not None)
    server.stop()


def wait(until_orphaned):
    """For a signal, or for the end of who started it: a test that dies leaves nothing behind."""
    parent, signals = os.getppid(), {signal.SIGTERM, signal.SIGINT}
    while not signal.sigtimedwait(signals, 1):
        if until_orphaned and os.getppid() != parent:
            return
