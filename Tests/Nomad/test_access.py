"""Tokens, regions, limits, and how requests travel."""

import http.client
import json
import socket
import subprocess
import time
from urllib.parse import urlsplit

import nomadpy
from nomad.api.exceptions import URLNotAuthorizedNomadException

from rig.nomad_http import TOO_MANY
from target import ADDRESS, NomadTest, StandIn


class Access(NomadTest):
    def test_the_agent_describes_itself(self):
        self.assertTrue(self.go.agent.health().server.ok)
        self.assertIn("global", self.go.regions.list())
        self.assertRegex(self.go.status.leader(), r"^\d+\.\d+\.\d+\.\d+:\d+$")
        self.assertEqual(self.go.agent.region(), "global")

    def test_an_unknown_region_and_an_unknown_path(self):
        self.assertEqual(self.get("/v1/services?region=mars")[::2], (500, "No path to region"))
        self.assertEqual(self.get("/v1/nothing")[0], 404)
        self.assertEqual(self.get("/v1/services", method="DELETE")[::2], (405, "Invalid method"))

    def test_answers_are_compact_and_pretty_ones_are_not(self):
        self.target.run("web")
        self.assertNotIn("\n", self.get("/v1/allocations")[2])
        self.assertIn("\n", self.get("/v1/allocations?pretty")[2])

    def test_there_is_no_discovery_document_without_an_issuer(self):
        self.assertEqual(self.get("/.well-known/openid-configuration")[::2], (404, "OIDC Discovery endpoint disabled"))
        key, = json.loads(self.get("/.well-known/jwks.json")[2])["keys"]
        self.assertEqual(key["use"], "sig")


class Tokens(NomadTest):
    stand_in_only = True

    def test_a_token_sees_its_namespaces(self):
        self.server.state.upsert("NamespaceUpsert", namespaces=[{"Name": "team-a", "Description": ""}])
        management = self.client(self.server.tokens.enable())
        self.target.run("web")
        self.target.run("secret", namespace="team-a")
        reader = self.client(self.server.tokens.create({"default": {"read-job"}}))
        everywhere = self.query(namespace="*")
        self.assertEqual([each.namespace for each in reader.services.list(everywhere)[0]], ["default"])
        self.assertEqual(len(management.services.list(everywhere)[0]), 2)
        self.assertEqual([each.name for each in reader.namespaces.list()[0]], ["default"])
        for denied in (lambda: reader.services.list(self.query(namespace="team-a")), lambda: reader.nodes.list(),
                       lambda: reader.services.delete("web", reader.services.get("web")[0][0].id)):
            with self.assertRaises(nomadpy.UnexpectedResponseError) as raised:
                denied()
            self.assertEqual((raised.exception.status_code, raised.exception.body), (403, "Permission denied"))

    def test_no_rights_at_all_is_an_empty_list_without_an_index(self):
        self.server.tokens.enable()
        self.target.run("web")
        status, headers, body = self.get("/v1/services?namespace=*")
        self.assertEqual((status, headers["X-Nomad-Index"], body), (200, "0", "[]"))
        with self.assertRaises(URLNotAuthorizedNomadException):
            self.python.allocations.get_allocations()

    def test_unknown_and_expired_tokens(self):
        self.server.tokens.enable()
        self.assertEqual(self.get("/v1/services", {"X-Nomad-Token": "x"})[::2], (403, "ACL token not found"))
        token = self.server.tokens.create({"*": {"read-job"}}, expires=0.2)
        self.assertEqual(self.get("/v1/services", {"Authorization": f"Bearer {token}"})[0], 200)
        time.sleep(0.25)
        self.assertEqual(self.get("/v1/services", {"X-Nomad-Token": token})[::2], (403, "ACL token expired"))

    def test_a_token_knows_itself(self):
        token = self.server.tokens.enable()
        body = json.loads(self.get("/v1/acl/token/self", {"X-Nomad-Token": token})[2])
        self.assertEqual((body["SecretID"], body["Type"]), (token, "management"))
        self.assertNotIn("expires", body)

    def test_a_subscription_needs_the_rights_of_its_topics(self):
        self.server.tokens.enable()
        token = {"X-Nomad-Token": self.server.tokens.create({"default": {"read-job"}})}
        for topics in ("topic=Node", "topic=*", "topic=Allocation&namespace=*", "topic=NodePool"):
            self.assertEqual(self.get(f"/v1/event/stream?{topics}", token)[::2], (403, "Permission denied"))

    def test_a_workload_identity_takes_the_place_of_a_token(self):
        self.server.tokens.enable()
        id, = self.target.run("web")
        identity = self.server.tokens.identities.sign(self.server.state.get("allocs", id), ttl=60)
        self.assertEqual(len(self.client(identity).services.get("web")[0]), 1)
        forged = identity[:-8] + "AAAAAAAA"
        self.assertEqual(self.get("/v1/services", {"X-Nomad-Token": forged})[0], 403)


class Travel(NomadTest):
    stand_in_only = True

    def test_a_server_without_a_leader_says_so(self):
        self.server.faults.no_leader = True
        self.assertEqual(self.get("/v1/services")[::2], (500, "No cluster leader"))
        self.assertEqual(self.get("/v1/services?stale")[0], 200)
        self.assertEqual(self.get("/v1/agent/health")[0], 500)
        self.server.faults.heal()
        self.assertEqual(self.get("/v1/services")[0], 200)

    def test_a_hundred_connections_and_no_more(self):
        place, open = urlsplit(self.url), []
        for _ in range(100):
            open.append(socket.create_connection((place.hostname, place.port)))
        one = socket.create_connection((place.hostname, place.port))
        self.assertTrue(one.recv(4096).endswith(TOO_MANY))
        for each in (*open, one):
            each.close()
        self.assertEqual(self.server.most_connections, 101)

    def test_what_was_ordered_to_go_wrong_goes_wrong(self):
        self.server.faults.answer("/v1/services", 500, "boom", times=1)
        self.assertEqual(self.get("/v1/services")[::2], (500, "boom"))
        self.assertEqual(self.get("/v1/services")[0], 200)
        self.server.faults.cut = "/v1/services"
        with self.assertRaises(OSError):
            self.get("/v1/services")

    def test_tls(self):
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            key, chain = Path(folder, "key.pem"), Path(folder, "chain.pem")
            subprocess.run([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                "2", "-subj", "/CN=server.global.nomad", "-addext", f"subjectAltName=DNS:server.global.nomad,IP:{ADDRESS}",
                "-keyout", key, "-out", chain], check=True, capture_output=True)
            target = StandIn(tls=(key, chain))
            self.addCleanup(target.close)
            target.run("web")
            config = nomadpy.Config(address=target.url, tls_config=nomadpy.TLSConfig(ca_cert=str(chain)))
            self.assertEqual(len(nomadpy.Client(config).services.get("web")[0]), 1)

    def test_the_task_api_wants_a_token_even_without_acls(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            target = StandIn(socket=f"{folder}/api.sock")
            self.addCleanup(target.close)
            id, = target.run("web")

            def get(headers):
                connection = http.client.HTTPConnection("localhost")
                connection.sock = socket.socket(socket.AF_UNIX)
                connection.sock.connect(f"{folder}/api.sock")
                connection.request("GET", "/v1/service/web", headers=headers)
                answer = connection.getresponse()
                status, body = answer.status, answer.read()
                connection.close()
                return status, body

            self.assertEqual(get({})[0], 401)
            identity = target.server.tokens.identities.sign(target.server.state.get("allocs", id))
            self.assertEqual(len(json.loads(get({"Authorization": f"Bearer {identity}"})[1])), 1)
