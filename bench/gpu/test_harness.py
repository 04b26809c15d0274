"""Tests of what the harness does without a GPU: python3 -m unittest discover bench/gpu."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import harness  # noqa: E402
import tables  # noqa: E402

SASS = """
\t\tFunction : attention_bf16_128
\t.headerflags\t@"EF_CUDA_SM90"
        /*0100*/                   HGMMA.64x64x16.F32.BF16 R24, gdesc[UR4], R24 ;
        /*0110*/                   HGMMA.64x64x16.F32.BF16 R24, gdesc[UR8], R24 ;
        /*0120*/              @P0  STL [R1], R2 ;
\t\tFunction : softmax
        /*0100*/                   LDG.E R2, [R4.64] ;
"""
USAGE = """
 Function softmax:
  REG:32 STACK:0 SHARED:64 LOCAL:0 CONSTANT[0]:400 TEXTURE:0 SURFACE:0 SAMPLER:0
"""


class HarnessTest(unittest.TestCase):
    def test_code_facts(self):
        facts = harness.code_facts(SASS, USAGE)
        self.assertEqual({"HGMMA": 2, "STL": 1}, facts["attention_bf16_128"])
        self.assertEqual({"REG": 32, "STACK": 0, "LOCAL": 0}, facts["softmax"])

    def test_tables(self):
        result = {
            "commit": "abc",
            "timing": {"a": {"seconds": {"gatun": 2e-6, "torch": 3e-6}}, "b": {"seconds": {"torch": 1.5}}},
            "e2e": {"m": {"seconds": {"gatun": 2e-3}}},
        }
        text = tables.markdown(result)
        self.assertIn("| a | 2.0 us | 3.0 us (1.50x) |", text)
        self.assertIn("| b | - | 1500.00 ms |", text)
        self.assertIn("| m | 2.00 ms |", text)
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "README.md"
            file.write_text("before\n<!-- gpu -->\nold\n<!-- end -->\nafter\n")
            tables.write(file, text)
            tables.write(file, text)
            self.assertEqual(f"before\n<!-- gpu -->\n{text}<!-- end -->\nafter\n", file.read_text())
            file.write_text("no marks")
            self.assertRaises(SystemExit, tables.write, file, text)

    def test_rows_of_shapes(self):
        shapes = json.loads((HERE / "shapes.json").read_text())
        for rows in (shapes["rows"], shapes["encoders"]):
            ids = [row["id"] for row in rows]
            self.assertEqual(len(ids), len(set(ids)))
        for row in shapes["encoders"]:
            self.assertIn(row["model"], shapes["models"])
            self.assertIn(row["dtype"], harness.BOUNDS)

    def test_a_phase_on_the_emulator(self):
        """All phases, where pack.sh has been run."""
        pack = HERE.parent / "target" / "gpu"
        if not (pack / "jre").exists():
            self.skipTest("bench/gpu/pack.sh has not been run")
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, str(HERE / "harness.py"), "--emulator", "--deadline", "120", "--commit", "0123456789abcdef", "--out", out]
            run = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(0, run.returncode, run.stdout + run.stderr)
            result = json.loads((pathlib.Path(out) / "emulated-0123456789ab.json").read_text())
            self.assertTrue(result["vectors"]["summary"].endswith("not as expected: 0"), result["vectors"])
            self.assertTrue((pathlib.Path(out) / "vectors" / "emulated.bin").exists())
            self.assertTrue(result["contract"]["summary"].endswith("failed: 0"), result["contract"])
            for phase in ("timing", "e2e"):
                self.assertTrue(result[phase], phase)
                for name, row in result[phase].items():
                    self.assertFalse(row["errors"], f"{name}: {row}")
                    self.assertIn("gatun", row["seconds"], f"{name}: {row}")


if __name__ == "__main__":
    unittest.main()
