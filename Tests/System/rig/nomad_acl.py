"""Nomad's ACL tokens, and the workload identities that may take their place."""

import base64
import hashlib
import json
import subprocess
import time
import uuid
from datetime import datetime, timezone

from .nomad_http import Refusal

READ = frozenset({"read-job"})


def moment(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")


class Tokens:
    """Off until `enable`. A token's rights: capabilities by namespace (`*` is every one), and what it may do elsewhere."""

    def __init__(self):
        self.enabled, self.by_secret, self.anonymous = False, {}, None
        self.identities = Identities()

    def enable(self):
        self.enabled = True
        return self.create(kind="management", name="Bootstrap Token")

    def create(self, namespaces=None, node=False, agent=False, kind="client", name="", expires=None):
        """The secret. `namespaces`: {"default": {"read-job"}}; `expires`: in so many seconds."""
        secret = str(uuid.uuid4())
        self.by_secret[secret] = {
            "AccessorID": str(uuid.uuid4()), "SecretID": secret, "Name": name, "Type": kind,
            "Policies": None if kind == "management" else ["made-up"], "Roles": None, "Global": False, "Hash": None,
            "CreateTime": moment(time.time()), "CreateIndex": 10, "ModifyIndex": 10,
            "ExpirationTime": None if expires is None else moment(time.time() + expires),
            "expires": None if expires is None else time.time() + expires,
            "namespaces": namespaces or {}, "node": node, "agent": agent,
        }
        return secret

    def resolve(self, secret, is_task_api=False):
        """The token's rights, None if everything is allowed; raises Refusal."""
        if secret.count(".") == 2:
            claims = self.identities.verify(secret)
            if claims is None:
                raise Refusal(403, "Permission denied")
            return {"Type": "client", "namespaces": {claims["nomad_namespace"]: READ}, "node": False, "agent": False}
        if is_task_api and not secret:
            raise Refusal(401, "Unauthorized")
        if not self.enabled:
            return None
        if not secret:
            return self.anonymous or {"Type": "client", "namespaces": {}, "node": False, "agent": False}
        token = self.by_secret.get(secret)
        if token is None:
            raise Refusal(403, "ACL token not found")
        if token["expires"] is not None and token["expires"] <= time.time():
            raise Refusal(403, "ACL token expired")
        return token

    def described(self, secret):
        hidden = {"expires", "namespaces", "node", "agent"}
        return {name: value for name, value in self.by_secret[secret].items() if name not in hidden}


def is_management(rights):
    return rights is None or rights["Type"] == "management"


def may(rights, namespace, capability="read-job"):
    if is_management(rights):
        return True
    granted = rights["namespaces"]
    # A policy for "*" covers every namespace, and only that covers a subscription to all of them.
    return any(capability in granted[name] for name in (namespace, "*") if name in granted)


def require(allowed):
    if not allowed:
        raise Refusal(403, "Permission denied")


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Identities:
    """Signs and publishes workload identities: RS256, with a key from the openssl command."""

    ISSUER_SECONDS = 3600

    def __init__(self):
        self.key = None

    def _load(self):
        if self.key is None:
            key = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
            text = subprocess.run(["openssl", "rsa", "-noout", "-text"], input=key, check=True, capture_output=True)
            fields, name = {}, None
            for line in text.stdout.decode().splitlines():
                if not line.startswith(" "):
                    name = line.partition(":")[0]
                    fields[name] = ""
                else:
                    fields[name] += line.strip().replace(":", "")
            self.key = int(fields["modulus"], 16), 65537, int(fields["privateExponent"], 16)
            self.id = str(uuid.uuid4())

    def jwks(self):
        self._load()
        modulus, exponent, _ = self.key
        return {"keys": [{
            "use": "sig", "kty": "RSA", "kid": self.id, "alg": "RS256",
            "n": encoded(modulus.to_bytes(256, "big")), "e": encoded(exponent.to_bytes(3, "big")),
        }]}

    def _number(self, signed):
        """EMSA-PKCS1-v1_5 of SHA-256, for a key of 2048 bits."""
        prefix = bytes.fromhex("3031300d060960864801650304020105000420")
        digest = prefix + hashlib.sha256(signed.encode()).digest()
        return int.from_bytes(b"\x00\x01" + b"\xff" * (253 - len(digest)) + b"\x00" + digest, "big")

    def sign(self, allocation, task="server", audience="nomadproject.io", ttl=None, region="global", identity="default"):
        self._load()
        now = int(time.time())
        names = [allocation["Namespace"], allocation["JobID"], allocation["TaskGroup"], task, identity]
        claims = {
            "nomad_namespace": allocation["Namespace"], "nomad_job_id": allocation["JobID"],
            "nomad_allocation_id": allocation["ID"], "nomad_task": task, "sub": ":".join([region, *names]),
            "aud": audience, "iat": now, "nbf": now, "jti": str(uuid.uuid4()),
        } | ({} if ttl is None else {"exp": now + ttl})
        header = {"alg": "RS256", "kid": self.id, "typ": "JWT"}
        signed = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        modulus, _, private = self.key
        return f"{signed}.{encoded(pow(self._number(signed), private, modulus).to_bytes(256, 'big'))}"

    def verify(self, token):
        """The claims, or None."""
        self._load()
        signed, _, signature = token.rpartition(".")
        modulus, exponent, _ = self.key
        try:
            number = int.from_bytes(base64.urlsafe_b64decode(signature + "=="), "big")
            body = signed.partition(".")[2]
            claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except ValueError:
            return None
        if pow(number, exponent, modulus) != self._number(signed):
            return None
        return claims if claims.get("exp", time.time() + 1) > time.time() else None
