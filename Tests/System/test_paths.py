"""What a path to match must look like: as Envoy sees paths when it looks for a route, and as lint tells whoever writes it
in another way."""

import json
import socket

from rig.case import SystemTest
from rig.documents import gateway, service, together
from rig.processes import eventually
from rig.signalbox import command

# What a client sends, and what a route for it must say; None: Envoy refuses it.
PATHS = {
    "/a/./b": "/a/b", "/c/../d/..": "/", "/%2e%2E/e": "/e", "/f\\g": "/f/g", "/%68%2D%5fi%7E": "/h-_i~", "/j%20%c3%A9": "/j%20%c3%A9",
    "/{k}|\"^`<>": "/%7Bk%7D%7C%22%5E%60%3C%3E", "/l%4": "/l%4", "/m%zz%": "/m%zz%", "/%256E": "/%256E", "/[o]!$&'()*+,;=:@": "/[o]!$&'()*+,;=:@",
    "/p//q": "/p/q", "/.r/..s/...": "/.r/..s/...", "/t%2fu": None, "/v%5Cw": None, "/x%00y": None,
}


class Paths(SystemTest):
    def route(self, paths):
        matches = "\n".join(f"  - path: {{type: Exact, value: {json.dumps(path)}}}" for path in paths)
        return f"kind: route\nname: web\nhostnames: [web]\ngateways: [edge]\nrules:\n- matches:\n{matches}\n  backends: [{{service: web}}]\n"

    def status(self, path):
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n".encode())
            return int(connection.recv(65_536).split()[1])

    def test_a_path_to_match_is_one_as_Envoy_sees_it(self):
        web = self.upstream("web")
        known = together(gateway(self.port), service("web", web))
        self.documents.write("known.yaml", known)
        self.documents.write("web.yaml", self.route({seen for seen in PATHS.values() if seen}))
        self.envoy(self.signalbox())
        eventually(lambda: self.status("/a/b") == 200, 10, "the route is there")
        self.assertEqual({path: self.status(path) for path in PATHS}, {path: 200 if seen else 400 for path, seen in PATHS.items()})
        for path, seen in PATHS.items():
            self.documents.write("web.yaml", self.route([path]))
            said = command("lint", self.documents)
            self.assertEqual(said.returncode == 0, path == seen, f"{path}: {said.stdout}{said.stderr}")
            if seen and path != seen and "//" not in path:
                self.assertIn(f'write "{seen}"', said.stdout.replace('\\"', '"'))
        self.note(f"{len(PATHS)} paths")
