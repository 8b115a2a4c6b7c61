"""Certificates from the openssl command, and load over TLS in which every request is a handshake."""

import asyncio
import ssl
import subprocess

from .traffic import Load


class Certificate:
    """Self-signed, for one host name. `renew` makes another of the same name; each has a serial number of its own."""

    def __init__(self, scratch, host):
        self.host, self.files = host, (scratch / f"{host}.key", scratch / f"{host}.pem")
        self.serials = []
        self.renew()

    def renew(self):
        key, chain = self.files
        serial = f"{len(self.serials) + 1:02X}"
        subprocess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={self.host}", "-addext", f"subjectAltName=DNS:{self.host}",
            "-set_serial", f"0x{serial}", "-keyout", key, "-out", chain,
        ], check=True, capture_output=True)
        self.serials.append(serial)
        self.key, self.chain = key.read_text(), chain.read_text()
        self.trusted = getattr(self, "trusted", "") + self.chain
        return self

    def secret(self, name):
        return {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "name": name,
            "tls_certificate": {"certificate_chain": {"inline_string": self.chain},
                                "private_key": {"inline_string": self.key}},
        }


class Authority:
    """A certificate authority, and what it signs."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-subj", f"/CN={name}", "-keyout", self.file(name, "key"), "-out", self.file(name, "pem"))

    @property
    def certificate(self):
        return self.file(self.name, "pem")

    def file(self, name, kind):
        return self.folder / f"{name}.{kind}"

    def issue(self, name, *hosts):
        """The files of a certificate and its key."""
        request, extensions = self.file(name, "csr"), self.file(name, "ext")
        extensions.write_text(f"subjectAltName={','.join(hosts)}\n")
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", f"/CN={name}", "-keyout", self.file(name, "key"), "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.file(self.name, "key"),
                     "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", self.file(name, "pem"))
        return self.file(name, "pem"), self.file(name, "key")

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Handshakes(Load):
    """A new TLS connection for each request, on which the server must prove that it is the host. Each response's `peer`
    is the certificate's serial number."""

    def __init__(self, port, certificate, rate=20, connections=2):
        super().__init__(port, certificate.host, rate, connections, headers={"connection": "close"})
        self.certificate, self.serials = certificate, []
        self.trust()

    def trust(self):
        """The certificates that were made until now."""
        self.context = ssl.create_default_context(cadata=self.certificate.trusted)

    async def _open(self):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.context, server_hostname=self.certificate.host)
        self.serials.append(writer.get_extra_info("peercert")["serialNumber"])
        return reader, writer
