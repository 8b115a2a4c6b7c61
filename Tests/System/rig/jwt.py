"""An issuer of JSON Web Tokens (RFC 7519) such as Nomad is for its workloads: signed by RS256 with the openssl command."""

import base64
import json
import subprocess
import time


def _part(content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    def __init__(self, scratch):
        self.key = scratch / "issuer.key"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        done = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout"], check=True, capture_output=True, text=True)
        self.public = done.stdout

    def token(self, audience, **claims):
        """Good for an hour."""
        now = int(time.time())
        payload = {"aud": [audience], "iat": now, "nbf": now - 10, "exp": now + 3600} | claims
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(payload)}"
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.key], input=signed.encode(), check=True, capture_output=True)
        return f"{signed}.{_part(done.stdout)}"
