# Checks the target graph: each target depends only on what its row allows, is compiled with the settings that make
# warnings errors, and imports only what it declares.
# usage: dependencies.py ROOT PACKAGE-DUMP ALLOWED
import json
import pathlib
import re
import sys

# What the toolchain brings.
SYSTEM = {"Dispatch", "Foundation", "FoundationEssentials", "Glibc", "PackageDescription", "Swift", "Synchronization"}
FOR_TESTS = {"Testing"}
IMPORT = re.compile(
    r"^\s*(?:@\w+\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|let|var|typealias)\s+)?(\w+)"
)


def table(path):
    rows = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            name, _, allowed = line.partition(":")
            rows[name.strip()] = set(allowed.split())
    return rows


def main(root, dump, allowed):
    faults = []
    rows = table(allowed)
    targets = {target["name"]: target for target in json.loads(dump.read_text())["targets"]}
    for name, target in targets.items():
        is_test = target["type"] == "test"
        declared = set()
        for dependency in target["dependencies"]:
            declared |= {value[0] for value in dependency.values()}
        if not is_test:
            if name not in rows:
                faults.append(f"{name} has no row in {allowed.name}")
            for extra in sorted(declared - rows.get(name, declared)):
                faults.append(f"{name} may not depend on {extra}: see {allowed.name}")

        folder = root / (target.get("path") or f"{'Tests' if is_test else 'Sources'}/{name}")
        files = [file for file in sorted(folder.rglob("*.swift")) if "Generated" not in file.parts]
        if files and not any("treatAllWarnings" in setting["kind"] for setting in target["settings"]):
            faults.append(f"{name} is not compiled with the settings: a warning would pass")
        known = declared | SYSTEM | (FOR_TESTS if is_test else FOR_TESTS & rows.get(name, set())) | {name}
        for file in files:
            for number, line in enumerate(file.read_text().splitlines(), start=1):
                found = IMPORT.match(line)
                if found and found[1] not in known:
                    faults.append(
                        f"{file.relative_to(root)}:{number}: imports {found[1]}, which {name} does not depend on"
                    )
    if "signalbox" in targets:
        faults += [f"{name} has a row in {allowed.name} and is no target" for name in sorted(rows.keys() - targets.keys())]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
