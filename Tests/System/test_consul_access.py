"""The ways to a Consul that locks its door: TLS with a certificate of our own, a Unix socket, a login by JWT."""

import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from rig import documents as text
from rig.case import sized
from rig.consul import own_address
from rig.consul_case import ConsulTest, answers
from rig.jwt import Issuer
from rig.probe import Probe
from rig.processes import eventually
from rig.signalbox import Signalbox, command
from rig.tls import Authority

MASTER = str(uuid.UUID(int=9))
ACL = {"enabled": True, "default_policy": "deny", "tokens": {"master": MASTER, "agent": MASTER}}
RULES = 'service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }\nagent_prefix "" { policy = "read" }'


class Reflects(BaseHTTPRequestHandler):
    """A proxy that says no, and quotes whatever it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        sent = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        body = f"denied: {self.headers.get('X-Consul-Token')} {self.headers.get('Authorization')} {sent}".encode()
        self.send_response(403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = do_GET

    def log_message(self, *_):
        pass


class Access(ConsulTest):
    def follow(self, **environment):
        """Signalbox as its environment variables say."""
        self.server = Signalbox(self.scratch, self.documents, "--consul", "--catalog-allow-addresses", "127.0.0.0/8",
                                environment=environment)
        self.processes.append(self.server)
        self.server.start(ready=False)
        return self.server

    def registered(self, **options):
        self.web = self.upstream("web")
        self.catalog = self.consul(**options)
        self.catalog.register("web", self.web.port)
        self.documents.write("web.yaml", text.route("web"))

    def answered(self):
        """A request arrives, and a change does, too."""
        self.server.wait_ready()
        self.envoy(self.server)
        probe = Probe(self.port, "web.example.com")
        probe.until(answers(self.web))
        self.catalog.check("web", self.web.port, "critical")
        probe.until(lambda status, _: status == 503)
        self.catalog.check("web", self.web.port, "passing")
        probe.until(answers(self.web))

    def test_certificates_of_both_sides(self):
        authority, stranger = Authority(self.scratch), Authority(self.scratch, "stranger")
        chain, key = authority.issue("agent", "DNS:server.dc1.consul", "IP:127.0.0.1")
        ours, ours_key = authority.issue("signalbox", "DNS:signalbox.example")
        address = own_address()
        self.registered(
            address=address, ca_file=str(authority.certificate), cert_file=str(chain), key_file=str(key),
            verify_incoming=True, ports={"grpc": -1, "dns": -1, "https": 8501, "http": 8500})
        trusted = self.scratch / "trusted.pem"
        trusted.write_text(stranger.certificate.read_text())
        self.follow(CONSUL_HTTP_ADDR=f"https://{address}:8501", CONSUL_CACERT=str(trusted),
                    CONSUL_CLIENT_CERT=str(ours), CONSUL_CLIENT_KEY=str(ours_key),
                    CONSUL_TLS_SERVER_NAME="server.dc1.consul")
        problem = eventually(lambda: self.source(self.server).get("problem"), 15, "who is not trusted is named")
        self.assertRegex(problem.lower(), "certificate|tls")
        self.assertEqual(self.server.get("/ready")[0], 503)
        self.replace(trusted, authority.certificate.read_text())
        healed = time.monotonic()
        eventually(lambda: self.source(self.server)["state"] == "up", 15, "the source is up")
        self.note(f"up {time.monotonic() - healed:.1f} s after the authority's certificate was put right")
        self.answered()
        for file in sized((trusted, ours, ours_key), (trusted,)):
            good = file.read_text()
            self.replace(file, "nothing\n")
            broken = time.monotonic()
            problem = eventually(lambda: self.source(self.server).get("problem"), 15, f"{file.name} is named")
            self.assertIn(str(file), problem)
            self.assertEqual(self.source(self.server)["state"], "up")
            self.note(f"{file.name} named {time.monotonic() - broken:.1f} s after it broke")
            self.answered()
            self.replace(file, good)
            eventually(lambda: "problem" not in self.source(self.server), 15, "it is good again")
        log = self.server.log.read_text()
        self.assertNotIn("PRIVATE KEY", log)

    def test_a_socket(self):
        address, path = own_address(), self.scratch / "consul.sock"
        self.registered(address=address, addresses={"http": f"{address} unix://{path}"})
        self.follow(CONSUL_HTTP_ADDR=f"unix://{path}")
        self.answered()

    def test_a_login(self):
        issuer = Issuer(self.scratch)
        self.registered(token=MASTER, acl=ACL)
        self.catalog.put("/v1/acl/policy", {"Name": "signalbox", "Rules": RULES})
        self.catalog.put("/v1/acl/role", {"Name": "signalbox", "Policies": [{"Name": "signalbox"}]})
        self.catalog.put("/v1/acl/auth-method", {"Name": "nomad-workloads", "Type": "jwt", "Config": {
            "JWTValidationPubKeys": [issuer.public], "BoundAudiences": ["consul.io"],
            "ClaimMappings": {"nomad_job_id": "nomad_job_id"}}})
        self.catalog.put("/v1/acl/binding-rule", {
            "AuthMethod": "nomad-workloads", "BindType": "role", "BindName": "signalbox",
            "Selector": 'value.nomad_job_id == "signalbox"'})
        file = self.scratch / "identity.jwt"
        file.write_text(issuer.token("consul.io", nomad_job_id="another"))
        self.follow(CONSUL_HTTP_ADDR=self.catalog.url, SIGNALBOX_CONSUL_AUTH_METHOD="nomad-workloads",
                    SIGNALBOX_CONSUL_AUTH_TOKEN_FILE=str(file))
        problem = eventually(lambda: self.source(self.server).get("problem"), 15, "who may not log in is told")
        self.note(problem)
        # As Nomad renews it: in the same file.
        identity = issuer.token("consul.io", nomad_job_id="signalbox")
        self.replace(file, identity)
        self.answered()
        # Another one with which there is no login costs nothing while the token of the last is good.
        self.replace(file, issuer.token("consul.io", nomad_job_id="another"))
        eventually(lambda: "the last token stays in use" in self.server.log.read_text(), 10, "it is told")
        time.sleep(2)
        self.assertEqual(self.source(self.server)["state"], "up")
        self.replace(file, identity)
        tokens = self.logins()
        self.assertEqual(len(tokens), 1, tokens)
        # Somebody takes the token away: it logs in again.
        self.catalog.call("DELETE", f"/v1/acl/token/{tokens[0]['AccessorID']}")
        renewed = eventually(self.logins, 10, "it has logged in again")
        eventually(lambda: self.source(self.server)["state"] == "up", 10, "the source is up")
        self.assertNotEqual(renewed[0]["AccessorID"], tokens[0]["AccessorID"])
        self.server.stop()
        self.assertEqual(self.logins(), [], "tokens that it left behind")
        log = self.server.log.read_text()
        for secret in (identity, *(each["SecretID"] for each in tokens + renewed if "SecretID" in each)):
            self.assertNotIn(secret, log)

    def test_what_the_settings_leave_out_is_named(self):
        self.registered()
        self.follow(CONSUL_HTTP_ADDR=self.catalog.url, SIGNALBOX_CONSUL_EXPOSED_BY_DEFAULT="false")
        self.reported(self.server, "SB203", "the service 'web' is in consul and not taken: consul.exposed.by.default")
        self.assertRegex(self.source(self.server)["version"], r"^\d+\.\d+\.\d+")
        self.assertIn(f"consul: up, version {self.source(self.server)['version']}, ", self.said())
        self.catalog.register("web", self.web.port, Tags=["signalbox.enable=true"])
        self.cured(self.server, "SB203")
        self.assertEqual(self.server.log.read_text().count("no service is named"), 0)
        self.server.stop()
        self.follow(CONSUL_HTTP_ADDR=self.catalog.url, SIGNALBOX_CONSUL_SERVICES="other-*")
        self.reported(self.server, "SB203", "not taken: consul.services does not have it")

    def said(self):
        return command("catalog", "status", "--admin", f"127.0.0.1:{self.server.admin_port}").stdout

    def test_a_proxy_that_quotes_what_it_is_sent(self):
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), Reflects)
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        token, identity = str(uuid.uuid4()), Issuer(self.scratch).token("consul.io", nomad_job_id="signalbox")
        file = self.scratch / "identity.jwt"
        file.write_text(identity)
        address = f"127.0.0.1:{proxy.server_address[1]}"
        login = {"SIGNALBOX_CONSUL_AUTH_METHOD": "nomad", "SIGNALBOX_CONSUL_AUTH_TOKEN_FILE": str(file)}
        for environment in ({"CONSUL_HTTP_TOKEN": token}, login):
            self.follow(CONSUL_HTTP_ADDR=address, CONSUL_HTTP_AUTH="user:p4ssw0rdSECRET", **environment)
            problem = eventually(lambda: self.source(self.server).get("problem"), 15, "it is told what is said")
            self.assertRegex(problem, r"answers 403 with .denied: .*\(secret\)")
            seen = [self.server.get(path)[1] for path in ("/state", "/ready", "/metrics")] + [self.server.log.read_text()]
            for secret in (token, "p4ssw0rdSECRET", "dXNlcjpwNHNzdzByZFNFQ1JF", identity, identity[:40]):
                self.assertFalse([text for text in seen if secret in text], secret)
            self.server.stop()

    def logins(self):
        return [each for each in self.catalog.get("/v1/acl/tokens") if each.get("AuthMethod") == "nomad-workloads"]

    @staticmethod
    def replace(file, content):
        aside = file.with_suffix(".new")
        aside.write_text(content)
        aside.rename(file)
