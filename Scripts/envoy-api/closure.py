#!/usr/bin/env python3
"""Chooses which files to generate and into which module each goes.

usage: closure.py SET.fds core-roots.txt roots.txt OUT_DIR

Writes OUT_DIR/core.txt (the module EnvoyAPI), OUT_DIR/extensions.txt (EnvoyExtensionsAPI: the rest of the roots'
closure), OUT_DIR/services.txt (files whose gRPC stubs are generated) and OUT_DIR/modules.asciipb for protoc-gen-swift.
"""

import pathlib
import sys

from google.protobuf import descriptor_pb2

# Files that only declare options for other files: nothing refers to their messages. google/protobuf is in SwiftProtobuf.
OPTIONS_ONLY = ("google/protobuf/", "validate/", "udpa/annotations/", "xds/annotations/", "envoy/annotations/",
                "google/api/http.proto", "google/api/annotations.proto")


def closure(files, roots):
    seen = set()
    stack = list(roots)
    while stack:
        name = stack.pop()
        if name in seen or name.startswith(OPTIONS_ONLY):
            continue
        if name not in files:
            sys.exit(f"closure.py: {name} is not among the descriptors")
        seen.add(name)
        stack.extend(files[name].dependency)
    return seen


def main():
    fds, core_roots, roots, out = map(pathlib.Path, sys.argv[1:])
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(fds.read_bytes())
    files = {f.name: f for f in descriptors.file}
    core = closure(files, core_roots.read_text().split())
    everything = closure(files, roots.read_text().split()) | core
    extensions = everything - core
    services = {name for name in everything if files[name].service and name.startswith("envoy/service/")}
    out.mkdir(parents=True, exist_ok=True)
    for name, chosen in (("core", core), ("extensions", extensions), ("services", services)):
        (out / f"{name}.txt").write_text("".join(f"{n}\n" for n in sorted(chosen)))
    mappings = ""
    for module, chosen in (("EnvoyAPI", core), ("EnvoyExtensionsAPI", extensions)):
        paths = "".join(f'  proto_file_path: "{n}"\n' for n in sorted(chosen))
        mappings += f'mapping {{\n  module_name: "{module}"\n{paths}}}\n'
    (out / "modules.asciipb").write_text(mappings)
    print(f"EnvoyAPI {len(core)} files, EnvoyExtensionsAPI {len(extensions)} files, {len(services)} with services")


main()
