"""`make demo`, which is what most people see first, with the binary under test and in less time."""

import re
import sys

from rig.case import SystemTest
from rig.processes import ROOT, Process, eventually
from rig.signalbox import BINARY

STEP = 2  # seconds for which a weight stays; 8 when people watch
ROW = re.compile(r"^ +(\d+) % +([\d,]+) +([\d.]+) % +([\d.]+) % +([\d,]+) +(\d+)", re.MULTILINE)


class Demo(SystemTest):
    def runs(self, source):
        """It ends with 0, and what it prints is true: a row for each weight, traffic in each, none of it failed."""
        environment = {"SIGNALBOX_BIN": str(BINARY), "STEP": str(STEP), "SOURCE": source, "KEEP": ""}
        demo = Process(f"demo-{source}", [sys.executable, ROOT / "Examples/demo/demo"], self.scratch, environment)
        self.processes.append(demo)
        demo.start()
        eventually(lambda: not demo.running, 120, "the demo's end")
        said = demo.log.read_text()
        self.assertEqual(demo.child.returncode, 0, said)
        rows = [(int(weight), int(failed)) for weight, *_, failed in ROW.findall(said)]
        self.assertEqual(rows, [(weight, 0) for weight in (0, 10, 50, 100, 0)], said)
        shares = [(float(stable), float(canary)) for _, _, stable, canary, *_ in ROW.findall(said)]
        self.assertEqual([shares[0], shares[3], shares[4]], [(100, 0), (0, 100), (100, 0)], said)
        self.assertTrue(all(int(api.replace(",", "")) for *_, api, _ in ROW.findall(said)), said)
        self.note(next(line for line in said.splitlines() if "edits, the slowest" in line))
        return said

    def test_with_files(self):
        self.runs("files")

    def test_with_Consul(self):
        said = self.runs("consul")
        self.assertRegex(said, r"Consul was killed and came back .* requests, 0 failed\.")
