"""gRPC's own client, written by nobody here, resolves xds:///echo.example and follows what Signalbox says."""

import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent import futures

import grpc
from rig import documents as text
from rig.case import SystemTest
from rig.processes import eventually, free_port

METHOD = "/echo.Echo/Name"

# Calls as fast as 100/s until its input ends; prints a backend's name (or the error) for each.
CLIENT = f"""
import sys, threading, time, grpc
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
call = grpc.insecure_channel("xds:///echo.example").unary_unary("{METHOD}")
while not ended.wait(0.01):
    try:
        print(call(b"", timeout=2, wait_for_ready=True).decode(), flush=True)
    except grpc.RpcError as error:
        print("failed", error.code().name, error.details(), flush=True)
"""


class Backend:
    def __init__(self, name):
        self.name, self.port = name, free_port()
        answer = grpc.unary_unary_rpc_method_handler(lambda request, context: name.encode())
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("echo.Echo", {"Name": answer})])
        self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        self.server.start()


class Client:
    """The gRPC client in a process of its own (its bootstrap is read once), and what it heard."""

    def __init__(self, xds, log):
        bootstrap = {
            "xds_servers": [
                {"server_uri": xds, "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}
            ],
            "node": {"id": "grpc-1", "cluster": "grpc"},
        }
        self.child = subprocess.Popen(
            [sys.executable, "-c", CLIENT], env={"GRPC_XDS_BOOTSTRAP_CONFIG": json.dumps(bootstrap)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log.open("ab"), text=True,
        )
        self.heard = []
        self.reader = threading.Thread(target=lambda: self.heard.extend(map(str.strip, self.child.stdout)), daemon=True)
        self.reader.start()

    def last(self, count=40):
        """How often each backend answered among the last calls."""
        return Counter(self.heard[-count:]) if len(self.heard) >= count else Counter()

    def stop(self):
        self.child.stdin.close()
        self.child.wait(10)
        self.reader.join(10)
        self.child.stdout.close()


class ProxylessGRPC(SystemTest):
    def test_grpcio_balances_and_follows_endpoints(self):
        first, second, third = (Backend(name) for name in ("first", "second", "third"))
        for backend in (first, second, third):
            self.addCleanup(backend.server.stop, None)
        self.documents.write("grpc.yaml", text.gateway(None, name="grpc", protocol="proxyless"))
        self.documents.write("route.yaml", text.route("echo", host="echo.example", gateway="grpc"))
        self.documents.write("defaults.yaml", "kind: service-defaults\nname: echo\nprotocol: grpc\n")
        self.documents.write("echo.yaml", text.service("echo", first, second))
        client = Client(self.signalbox().xds, self.scratch / "grpc-client.log")
        self.addCleanup(client.stop)

        def balanced_over(*backends):
            return lambda: all(client.last()[each.name] >= 15 for each in backends)

        eventually(balanced_over(first, second), 10, "calls balanced over two backends")
        self.documents.write("echo.yaml", text.service("echo", second, third))
        eventually(balanced_over(second, third), 5, "calls balanced over the new endpoints")
        self.assertEqual([line for line in client.heard if line not in ("first", "second", "third")], [])
        self.note(f"{len(client.heard)} calls")
