"""Runs the tests of Nomad's API, a line for each. usage: suite.py [part of a line]"""

import os
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "System")]
for name in [each for each in os.environ if each.startswith("NOMAD_")]:
    del os.environ[name]

import target  # noqa: E402
from runner import Lines, matching  # noqa: E402


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    loader = unittest.TestLoader()
    tests = list(matching(loader.discover(str(HERE), "test_*.py"), part))
    if loader.errors:
        raise SystemExit(loader.errors[0])
    if not tests:
        raise SystemExit(f"no test of Nomad's API has {part!r} in its name")
    began, bad = time.monotonic(), 0
    for kind in target.kinds():
        ran = [test for test in tests if kind is target.StandIn or not getattr(test, "stand_in_only", False)]
        result = Lines()
        unittest.TestSuite(ran).run(target.using(kind, result))
        bad += len(result.broken)
        print(f"{kind.__name__}: {len(ran) - len(result.broken)} passed, {len(result.broken)} failed")
    print(f"tests of Nomad's API: {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
