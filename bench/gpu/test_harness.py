"""Tests of the harness without a GPU, on the emulator where pack.sh has been run: python3 bench/gpu/test_harness.py."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import contenders  # noqa: E402
import device  # noqa: E402
import pack  # noqa: E402
import processes  # noqa: E402
import results  # noqa: E402
import smoke  # noqa: E402
import suites  # noqa: E402
import tables  # noqa: E402
import timings  # noqa: E402

PACK = HERE.parent / "target" / "gpu"
PLANTED = [sys.executable, str(HERE / "planted.py")]
MISTAKES = ["hang", "crash", "wrong", "error", "lost"]
# The smoke phase's items that the emulator has the time for.
SOME = ["probes mma", "probes wgmma transposed", "sm_90a w4a16 bf16 64", "sm_90a w8a8 64", "sm_90a attention bf16 64", "w4 tiles", "rows", "contract embedding", "graph", "encoder"]

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


class Folder(unittest.TestCase):
    """Tests with a folder and a log in it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = processes.Log(self.folder / "output.log")
        self.addCleanup(self.log.close)

    def logged(self):
        return (self.folder / "output.log").read_text()


class SuiteTest(Folder):
    def run_cases(self, *mistakes, seconds=60, case_seconds=2):
        command = lambda skip: [*PLANTED, "cases", str(skip), *mistakes]
        return suites.run("planted", command, self.log, processes.Clock(seconds), case_seconds=case_seconds)

    def test_every_other_case_is_reported(self):
        outcome = self.run_cases(*MISTAKES)
        self.assertEqual([f"case {i}" for i in range(10)], outcome.right)
        statuses = {p["case"]: p["status"] for p in outcome.problems}
        self.assertEqual({"hang": "hang", "crash": "crash", "wrong": "wrong", "error": "error", "lost": "error"}, statuses)
        self.assertEqual(4, outcome.starts, "after a hang, a crash and a lost device")
        self.assertEqual("hang", outcome.status())
        messages = {p["case"]: p["message"] for p in outcome.problems}
        self.assertEqual("ended by SIGABRT", messages["crash"])
        self.assertEqual("y[3] errs by 0.5 (allowed 0.01)", messages["wrong"])
        self.assertEqual("CUDA_ERROR_INVALID_VALUE (1)", suites.code_of(messages["error"]))

    def test_what_was_printed_is_kept(self):
        self.run_cases("crash")
        self.assertIn("planted: half a line", self.logged())
        self.assertIn("planted (stderr): about to crash\n", self.logged())

    def test_the_case_that_the_time_ends_in_is_named(self):
        outcome = self.run_cases("hang", seconds=1.5, case_seconds=60)
        self.assertEqual(("hang", []), (outcome.unfinished, outcome.problems))

    def test_a_program_that_never_begins(self):
        command = lambda skip: [sys.executable, "-c", "import os; os.abort()"]
        outcome = suites.run("none", command, self.log, processes.Clock(60))
        self.assertEqual(suites.MOST_STARTS, outcome.starts)
        self.assertEqual("crash", outcome.status())
        outcome = suites.run("none", lambda skip: ["true"], self.log, processes.Clock(60))
        self.assertEqual("nothing ran", outcome.status())


class SmokeTest(Folder):
    def test_four_items_that_hang_leave_time_for_the_others(self):
        items = [{"id": f"hang {i}", "command": [*PLANTED, "cases", "/dev/null", "hang"]} for i in range(4)]
        for mistake in MISTAKES[1:]:
            items.append({"id": mistake, "command": [*PLANTED, "cases", "/dev/null", mistake]})
        items += [{"id": f"right {i}", "command": [*PLANTED, "cases", "/dev/null"]} for i in range(8)]
        out = results.Results(self.folder / "out", "abc", True)
        programmes = type("Programmes", (), {"environment": {}})()
        start = time.monotonic()
        counts = smoke.run(items, programmes, self.log, out, processes.Clock(60), self.folder, seconds=2)
        self.assertLess(time.monotonic() - start, 20)
        found = {row["id"]: row for row in out.rows()}
        self.assertEqual(len(items), len(found))
        self.assertEqual({"hang": 4, "crash": 1, "wrong": 1, "error": 2, "right": 8}, counts)
        self.assertEqual("hang", found["hang 0"]["case"])
        self.assertEqual("crash", found["crash"]["status"])
        self.assertEqual("y[3] errs by 0.5 (allowed 0.01)", found["wrong"]["message"])
        self.assertEqual("CUDA_ERROR_INVALID_VALUE (1)", found["error"]["code"])
        self.assertEqual("CUDA_ERROR_ILLEGAL_ADDRESS (700)", found["lost"]["code"])
        self.assertTrue(out.wrong())

    def test_the_phase_ends_in_time(self):
        # All of its items, at the limits that it has, with four that hang and ones of the time seen on the emulator.
        each, hung = 5, smoke.ITEM_SECONDS
        slots = [0.0] * smoke.AT_ONCE
        for seconds in [hung] * 4 + [each] * (len(smoke.items()) - 4):
            slots[slots.index(min(slots))] += seconds
        self.assertLess(max(slots), smoke.PHASE_SECONDS)

    def test_items(self):
        items = smoke.items()
        self.assertEqual(len(items), len({item["id"] for item in items}))
        for item in items:
            self.assertEqual(1, sum(k in item for k in ("probes", "kernel", "rows")), item)
            for row in item.get("rows", []):
                self.assertIn("small", row, item["id"])
        names = {item["id"] for item in items}
        for kernel in self.kernels_of_hopper():
            self.assertTrue(any(name.startswith("sm_90a") and all(part in name.split() for part in kernel) for name in names), kernel)
        for some in SOME:
            self.assertIn(some, names)

    @staticmethod
    def kernels_of_hopper():
        """The words that the item of each kernel of a *_sm90a.cu has in its name."""
        sources = HERE.parent.parent / "cuda-src"
        for line in subprocess.check_output([sources / "list.sh", sources], text=True).splitlines():
            if "_sm90a.cu " in line:
                name = line.split()[1].removesuffix("_sm90a").split("_")
                yield [part[1:] if re.fullmatch(r"m\d+", part) else part for part in name]

    def test_every_kernel_of_hopper_runs_deep_split_and_ragged(self):
        for item in smoke.items():
            if not item["id"].startswith("sm_90a"):
                continue
            ids = [row["id"] for row in item["rows"]]
            self.assertIn("deep", ids, item["id"])
            self.assertTrue(any("ragged" in i for i in ids), item["id"])
            deep = item["rows"][0]
            self.assertGreaterEqual(deep.get("k", deep.get("keys")), 1024, item["id"])
            if item["id"].endswith(" 64") and "attention" not in item["id"]:
                self.assertIn("split", ids, item["id"])


class ContenderTest(Folder):
    ROWS = ["first", *MISTAKES[:3], "lost", "last"]

    def test_a_contender_is_started_again(self):
        contender = contenders.Contender("peer", [*PLANTED, "contender", "peer", *MISTAKES], self.log)
        self.addCleanup(contender.end)
        found = {}
        for key in self.ROWS:
            row = timings.Row()
            timings.rounds({"id": key, "kernel": "add"}, [contender], row, processes.Clock(60), 2) if key != "hang" else self.hang(contender, row)
            found[key] = row.facts()
        for key in ("first", "last"):
            self.assertEqual({"peer": 1e-5, "peer-other": 1e-5}, found[key]["seconds"], key)
            self.assertFalse(found[key]["errors"])
        # What ended it is not tried again, and what else there is in the row is.
        for key in ("hang", "crash", "lost"):
            self.assertIn("peer", found[key]["errors"], key)
        self.assertEqual("ended by SIGABRT", found["crash"]["errors"]["peer"])
        self.assertIn("no answer within", found["hang"]["errors"]["peer"])
        self.assertIn("(700)", found["lost"]["errors"]["peer"])
        self.assertEqual({"peer-other": 1e-5}, found["wrong"]["seconds"], "a wrong result is not timed")
        self.assertEqual({"peer": "y[0, 1] is 2, expected 1"}, found["wrong"]["wrong"])
        self.assertEqual(3.5, found["wrong"]["checked"]["peer"])
        self.assertEqual(4, contender.starts)

    @staticmethod
    def hang(contender, row):
        row.add(*contender.ask({"id": "hang", "kernel": "add"}, 1))

    def test_a_slow_peer_takes_no_time_from_the_others(self):
        names = {"gatun": [], "slow": ["hang"], "never": ["late"]}
        all_of_them = [contenders.Contender(name, [*PLANTED, "contender", name, *m], self.log) for name, m in names.items()]
        old, timings.ROW_SECONDS = timings.ROW_SECONDS, 1
        try:
            out = results.Results(self.folder / "out", "abc", True)
            rows = [{"id": key, "kernel": "add"} for key in ("hang", "one", "two")]
            timings.kernels({"rows": rows, "small": {}}, all_of_them, out, processes.Clock(60), False)
        finally:
            timings.ROW_SECONDS = old
        found = {row["id"]: row for row in out.rows()}
        self.assertEqual(["hang", "one", "two"], list(found))
        for key in found:
            self.assertIn("gatun", found[key]["seconds"])
        self.assertEqual({"gatun", "gatun-other", "slow", "slow-other"}, set(found["two"]["seconds"]))
        self.assertIn("was not started again", found["two"]["errors"]["never"])

    def test_what_the_end_of_the_time_cuts_off_is_no_error(self):
        contender = contenders.Contender("peer", [*PLANTED, "contender", "peer", "hang"], self.log)
        self.addCleanup(contender.end)
        row = timings.Row()
        timings.rounds({"id": "hang", "kernel": "add"}, [contender], row, processes.Clock(2), 2)
        self.assertEqual({"seconds": {}, "errors": {}, "unfinished": ["peer", "peer"]}, row.facts())

    def test_a_contender_is_asked_for_what_it_takes_only(self):
        contender = contenders.Contender("peer", [*PLANTED, "contender", "peer"], self.log, takes=lambda row: row["kernel"] == "matmul")
        self.addCleanup(contender.end)
        self.assertEqual(([], {}), contender.ask({"id": "a", "kernel": "add"}, 5))
        self.assertEqual(2, len(contender.ask({"id": "b", "kernel": "matmul"}, 5)[0]))


class ResultTest(Folder):
    def test_code_facts(self):
        facts = device.code_facts(SASS, USAGE)
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
        file = self.folder / "README.md"
        file.write_text("before\n<!-- gpu -->\nold\n<!-- end -->\nafter\n")
        tables.write(file, text)
        tables.write(file, text)
        self.assertEqual(f"before\n<!-- gpu -->\n{text}<!-- end -->\nafter\n", file.read_text())
        file.write_text("no marks")
        self.assertRaises(SystemExit, tables.write, file, text)

    def test_a_line_that_was_cut_off_costs_no_other(self):
        out = results.Results(self.folder / "out", "abc", True)
        out.write({"phase": "timing", "id": "a", "seconds": {}})
        with out.lines.open("a") as file:
            file.write('{"commit": "abc", "emul')
        self.assertEqual(["a"], [row["id"] for row in out.rows()])

    def test_an_archive_replaces_what_an_older_one_left(self):
        import tarfile

        archive, folder = self.folder / "gpu.tar.xz", self.folder / "gpu"
        self.assertRaises(SystemExit, pack.unpack, archive, folder)
        for name in ("old", "new"):
            file = self.folder / name
            file.write_text(name)
            with tarfile.open(archive, "w:xz") as tar:
                tar.add(file, name)
            pack.unpack(archive, folder)
            pack.unpack(archive, folder)
            self.assertEqual([pack.STAMP, name], sorted(p.name for p in folder.iterdir()))

    def test_rows_of_shapes(self):
        shapes = timings.shapes()
        for rows in (shapes["rows"], shapes["encoders"]):
            ids = [row["id"] for row in rows]
            self.assertEqual(len(ids), len(set(ids)))
        for row in shapes["encoders"]:
            self.assertIn(row["model"], shapes["models"])
            self.assertIn(row["dtype"], timings.BOUNDS)

    def test_no_family_has_a_second_row_before_each_has_one(self):
        rows = timings.shapes()["rows"]
        turns = timings.in_turn(rows)
        families = {timings.family(row) for row in rows}
        self.assertEqual(families, {timings.family(row) for row in turns[: len(families)]})
        self.assertEqual(sorted(r["id"] for r in rows), sorted(r["id"] for r in turns))


@unittest.skipUnless((PACK / "jre").exists(), "bench/gpu/pack.sh has not been run")
class EmulatorTest(Folder):
    def run_harness(self, *arguments):
        command = [sys.executable, str(HERE / "harness.py"), "--emulator", "--commit", "0123456789abcdef", "--out", str(self.folder), *arguments]
        run = subprocess.run(command, capture_output=True, text=True)
        file = self.folder / "emulated-0123456789ab.json"
        return run, json.loads(file.read_text()) if file.exists() else {}

    def test_all_phases(self):
        items = [item for item in smoke.items() if item["id"] in SOME]
        file = self.folder / "items.json"
        file.write_text(json.dumps({"items": items}))
        run, result = self.run_harness("--deadline", "165", "--items", str(file))
        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        self.assertEqual(set(SOME), set(result["smoke"]))
        for name, row in result["smoke"].items():
            self.assertEqual("right", row["status"], f"{name}: {row}")
        for phase in ("vectors", "contract"):
            self.assertFalse(result[phase]["problems"], result[phase])
            self.assertTrue(result[phase]["right"], result[phase])
        self.assertTrue((self.folder / "vectors" / "emulated.bin").exists())
        for phase in ("timing", "e2e"):
            self.assertTrue(result[phase], phase)
            for name, row in result[phase].items():
                self.assertFalse(row["errors"], f"{name}: {row}")
                self.assertNotIn("wrong", row, f"{name}: {row}")
            measured = {name: row for name, row in result[phase].items() if "unfinished" not in row}
            self.assertTrue(measured, phase)
            for name, row in measured.items():
                self.assertIn("gatun", row["seconds"], f"{name}: {row}")
                self.assertIn("gatun" if phase == "timing" else "gatun-cpu", row["checked" if phase == "timing" else "differences"], f"{name}: {row}")
        files = [p for p in self.folder.rglob("*") if p.is_file() and p != file]
        self.assertLessEqual(len(files), 8, files)
        self.assertLess(max(p.stat().st_size for p in files), 16 << 20)

    def test_a_driver_that_fails_is_named_with_its_code(self):
        row = next(item for item in smoke.items() if item["id"] == "portable decode by JIT")
        file = self.folder / "items.json"
        items = [{**row, "environment": {"GATUN_EMULATOR_FAIL": "cuModuleLoadDataEx:209"}}]
        file.write_text(json.dumps({"items": items}))
        run, result = self.run_harness("--phase", "smoke", "--items", str(file))
        self.assertEqual(1, run.returncode)
        found = result["smoke"]["portable decode by JIT"]
        self.assertEqual(("error", "CUDA_ERROR_NO_BINARY_FOR_GPU (209)"), (found["status"], found["code"]), found)


if __name__ == "__main__":
    unittest.main()
