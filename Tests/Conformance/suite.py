"""Runs the conformance suite, several servers at once, a line for each test. usage: suite.py [part of a line]"""

import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "System")]

from rig.signalbox import BINARY  # noqa: E402
from runner import Lines, matching  # noqa: E402
from world import Server  # noqa: E402

AT_ONCE = 16  # tests mostly wait, for what has to come and for what must not


def run(test):
    result = Lines()
    test.run(result)
    return result


def main():
    if not BINARY.exists():
        raise SystemExit(f"There is no {BINARY}: run make build, or set SIGNALBOX_BIN")
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    loader = unittest.TestLoader()
    tests = list(matching(loader.discover(str(HERE), "test_*.py"), part))
    if loader.errors:
        raise SystemExit(loader.errors[0])
    if not tests:
        raise SystemExit(f"no conformance test has {part!r} in its name")
    began = time.monotonic()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            bad = sum(len(result.broken) for result in pool.map(run, tests))
    finally:
        Server.remove_all()
    print(f"conformance tests: {time.monotonic() - began:.0f} s")
    print(f"{len(tests) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
