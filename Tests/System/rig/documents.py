"""A directory of Signalbox documents, edited the way editors and deploy tools do: written aside, then renamed."""

import json
import os
import re
import time
from pathlib import Path


class Documents:
    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)

    def __fspath__(self):
        return str(self.root)

    __str__ = __fspath__

    def read(self, name):
        return (self.root / name).read_text()

    def write(self, name, text):
        """Replaces a file in one step; the moment just before the rename."""
        aside = self.root / f".{name}.new"
        aside.write_text(text)
        at = time.monotonic()
        os.rename(aside, self.root / name)
        return at

    def remove(self, name):
        (self.root / name).unlink()

    def line_of(self, name, text):
        """The number of the first line that contains `text`."""
        return next(n for n, line in enumerate(self.read(name).splitlines(), 1) if text in line)


def with_weights(text, weights):
    """A route document with the weight of each backend of a subset by tag replaced: {"stable": 90, "canary": 10}."""
    for tag, weight in weights.items():
        text, found = re.subn(rf"(subset: {{tags: \[{tag}\]}}\s+weight:) \d+", rf"\1 {weight}", text)
        assert found, f"no backend with the tag {tag}"
    return text


def gateway(port, name="edge", protocol="http", **options):
    """Options are fields of the gateway: virtual_hosts="on-demand"."""
    listener = f"{{name: {protocol}, protocol: {protocol}" + (f", address: 127.0.0.1, port: {port}}}" if port else "}")
    lines = [f"kind: gateway\nname: {name}\nproxies: {{ids: [\"{name}-*\"]}}\nlisteners:\n- {listener}"]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in options.items())]) + "\n"


def service(name, *instances):
    """Instances are upstreams, or (upstream, tag)."""
    lines = [f"kind: service\nname: {name}\ninstances:"]
    for instance in instances:
        upstream, tag = instance if isinstance(instance, tuple) else (instance, None)
        tags = f", tags: [{tag}]" if tag else ""
        lines.append(f"- {{id: {upstream.name}, address: 127.0.0.1, port: {upstream.port}{tags}}}")
    return "\n".join(lines) + "\n"


def route(name, weights=None, host=None, edit=None, gateway="edge", service=None):
    """From `host` to the service, by default of the same name, split by tag if `weights` says so; `edit` comes back as
    x-edit."""
    host = host or f"{name}.example.com"
    lines = [f"kind: route\nname: {name}\nhostnames: [\"{host}\"]\ngateways: [{gateway}]\nrules:"]
    lines.append("- backends:")
    for tag, weight in (weights or {None: 1}).items():
        lines.append(f"  - service: {service or name}")
        if tag:
            lines.append(f"    subset: {{tags: [{tag}]}}")
        lines.append(f"    weight: {weight}")
    if edit is not None:
        lines.append(f'  responseHeaders: {{set: [{{name: x-edit, value: "{edit}"}}]}}')
    return "\n".join(lines) + "\n"


def together(*documents):
    return "---\n".join(documents)


def raw(name, resource, gateway="edge", ttl=None):
    """An envoy-resource document, as JSON: for files that end so, one each."""
    document = {"kind": "envoy-resource", "name": name, "gateways": [gateway], "resource": resource}
    return json.dumps(document | ({"ttl": ttl} if ttl else {}))
