"""Runs the system tests, a line for each with its time and figures. usage: run [part of a file or test name]"""

import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from rig import envoy, signalbox  # noqa: E402


class Lines(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.broken = []  # the whole text of each test that failed

    def startTest(self, test):
        super().startTest(test)
        self.began, self.told = time.monotonic(), (len(self.failures), len(self.errors))

    def stopTest(self, test):
        super().stopTest(test)
        news = self.failures[self.told[0]:] + self.errors[self.told[1]:]
        broken = [f"{of}\n{trace}" for of, trace in news]
        module, method = type(test).__module__.removeprefix("test_"), test._testMethodName.removeprefix("test_")
        name = f"{module}: {method.replace('_', ' ')}"
        notes = getattr(test, "notes", [])
        figures = [note for note in notes if "\n" not in note]
        lines = ["; ".join([f"{'FAIL' if broken else 'ok  '} {name} ({time.monotonic() - self.began:.1f} s)", *figures])]
        if broken:
            lines += [*broken, *(note for note in notes if "\n" in note)]
            self.broken.append("\n".join([lines[0], *broken]))
        sys.stdout.write("\n".join([*lines, ""]))  # at once: the conformance suite runs several tests at a time
        sys.stdout.flush()


def matching(suite, part):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from matching(test, part)
        elif part in test.id().replace("_", " ") or part in test.id():
            yield test


def main():
    if not signalbox.BINARY.exists():
        raise SystemExit(f"There is no {signalbox.BINARY}: run make build, or set SIGNALBOX_BIN")
    envoy.binary()
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = unittest.TestSuite(matching(unittest.defaultTestLoader.discover(str(HERE), "test_*.py"), part))
    if not tests.countTestCases():
        raise SystemExit(f"no system test has {part!r} in its name")
    began, result = time.monotonic(), Lines()
    tests.run(result)
    print(f"system tests: {time.monotonic() - began:.0f} s")
    # Once more at the end, which is what people see first.
    print("".join(f"{text.rstrip()}\n" for text in result.broken), end="")
    print(f"{result.testsRun - len(result.broken)} passed, {len(result.broken)} failed")
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
