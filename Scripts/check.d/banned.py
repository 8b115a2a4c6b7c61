# Finds banned APIs in Sources: see banned.txt.
# usage: banned.py ROOT TABLE
import pathlib
import re
import sys

PURE = {"Catalog", "Routing", "Documents", "XDSProtocol", "EnvoyTranslation"}
ALLOWED = re.compile(r"// allowed: \S")
# Strings on one line, then comments to the end of it. Lines inside a longer string or comment are looked at as code.
NOISE = re.compile(r'#"(?:[^"]|"(?!#))*"#|"(?:\\.|[^"\\])*"|//.*')


def main(root, table):
    rules = []
    for line in table.read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, modules, reason = line.rsplit(" | ", 2)
            rules.append((re.compile(pattern), modules, reason))
    faults = []
    for file in sorted((root / "Sources").rglob("*.swift")):
        module = file.relative_to(root).parts[1]
        if "Generated" in file.parts:
            continue
        above = ""
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            code = NOISE.sub("", line).rstrip()
            if not ALLOWED.search(line) and not ALLOWED.search(above):
                for pattern, modules, reason in rules:
                    found = pattern.search(code)
                    if found and (modules == "*" or (modules == "pure" and module in PURE)):
                        faults.append(f"{file.relative_to(root)}:{number}: {found[0].strip()}: {reason}")
            above = line
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
