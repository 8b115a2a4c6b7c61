#!/usr/bin/env python3
"""Writes one FileDescriptorSet with the whole Envoy v3 API.

The base is the descriptors inside PyPI's `xds-protos`; over it go the exact ones that the Envoy binary itself
embeds, so that the messages are those of the Envoy release we test with.
Usage: descriptors.py ENVOY_BINARY OUT.fds
"""

import importlib
import mmap
import pathlib
import re
import sys

from google.protobuf import descriptor_pb2


def from_xds_protos():
    """Every file of xds-protos, with its dependencies (google/protobuf/* among them), by name."""
    import envoy  # any package of xds-protos: its siblings are the rest

    root = pathlib.Path(next(iter(envoy.__path__))).parent
    files = {}

    def take(descriptor):
        if descriptor.name in files:
            return
        files[descriptor.name] = descriptor_pb2.FileDescriptorProto.FromString(descriptor.serialized_pb)
        for dependency in descriptor.dependencies:
            take(dependency)

    for top in ("envoy", "xds", "udpa", "validate", "google/rpc", "google/api", "opencensus", "opentelemetry"):
        for path in sorted((root / top).rglob("*_pb2.py")):
            module = str(path.relative_to(root).with_suffix("")).replace("/", ".")
            take(importlib.import_module(module).DESCRIPTOR)
    return files


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def extent(data, start):
    """The end of the FileDescriptorProto that starts at `start`: walk its fields while they are ones it may have, in order."""
    at, last = start, 0
    while at < len(data):
        key, following = varint(data, at)
        number, wire = key >> 3, key & 7
        if number not in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14) or wire not in (0, 2):
            break
        if number == 1 and last != 0:  # the next file's name
            break
        if wire == 0:
            _, at = varint(data, following)
        else:
            length, following = varint(data, following)
            if following + length > len(data):
                break
            at = following + length
        last = number
        if number == 12:  # syntax is the last field that protoc writes
            break
    return at


def from_binary(path):
    """The descriptors that a C++ binary with linked-in protobufs carries as plain bytes, by name."""
    files = {}
    name = re.compile(rb"\n(.)((?:envoy|xds|udpa|validate|google/rpc|google/api)/[a-z0-9_/.]+\.proto)", re.DOTALL)
    with open(path, "rb") as handle:
        data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        for match in name.finditer(data):
            if match.group(1)[0] != len(match.group(2)):
                continue
            candidate = descriptor_pb2.FileDescriptorProto()
            try:
                candidate.ParseFromString(data[match.start() : extent(data, match.start())])
            except Exception:
                continue
            if candidate.package and candidate.name == match.group(2).decode():
                files[candidate.name] = candidate
    return files


def topological(files):
    ordered, seen = [], set()

    def visit(name):
        if name in seen:
            return
        seen.add(name)
        for dependency in files[name].dependency:
            visit(dependency)
        ordered.append(files[name])

    for name in sorted(files):
        visit(name)
    return ordered


def main():
    binary, out = sys.argv[1:]
    files = from_xds_protos()
    embedded = from_binary(binary)
    files.update(embedded)
    # envoy/service/metrics needs io/prometheus/client, which neither origin has: leave out what cannot be resolved.
    while unresolved := [n for n, f in files.items() if not set(f.dependency) <= set(files)]:
        for name in unresolved:
            print(f"left out, a dependency is missing: {name}")
            del files[name]
    result = descriptor_pb2.FileDescriptorSet(file=topological(files))
    pathlib.Path(out).write_bytes(result.SerializeToString(deterministic=True))
    print(f"{len(result.file)} files, {len(embedded)} of them from {binary}")


main()
