"""Runs the phases of bench/gpu/run.sh; see bench/gpu/README.md."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import device
import smoke
import suites
import timings
from processes import Clock, Log
from programmes import Programmes
from results import Results

HERE = pathlib.Path(__file__).resolve().parent
# No run takes longer, whatever is asked for.
MOST_SECONDS = 540
# Each phase and its share of the time that is left to it and to those after it.
PHASES = {"smoke": 0.5, "probe": 0.2, "vectors": 0.2, "contract": 0.35, "timing": 0.65, "e2e": 1.0}
# Random cases of each kernel that the contract draws from, and the heap that they need.
CASES = 300
HEAP = "24g"


class Harness:
    def __init__(self, arguments):
        self.arguments = arguments
        self.results = Results(arguments.out, arguments.commit, arguments.emulator)
        self.log = Log(self.results.out / "output.log")
        self.programmes = Programmes(arguments.pack, arguments.emulator)

    def smoke(self, clock):
        """What runs at all."""
        with tempfile.TemporaryDirectory() as folder:
            limit = Clock(min(smoke.PHASE_SECONDS - 5, clock.left()))
            # The emulator shares its processors with whatever else runs there.
            seconds = (4 if self.arguments.emulator else 1) * smoke.ITEM_SECONDS
            counts = smoke.run(smoke.items(self.arguments.items), self.programmes, self.log, self.results, limit, folder, seconds)
        self.results.facts["smoke counts"] = counts
        self.results.write({"phase": "smoke counts", **counts})

    def probe(self, clock):
        self.results.facts["probe"] = device.facts()
        self.results.write({"phase": "probe", **self.results.facts["probe"]})

    def vectors(self, clock):
        """What the device makes of the words that the emulator's primitives are tried with."""
        target = "emulated" if self.arguments.emulator else "sm_" + device.architecture().rstrip("a")
        folder = self.results.out / "vectors"
        for ending in (".bin", ".txt"):
            (folder / (target + ending)).unlink(missing_ok=True)
        arguments = [self.programmes.images, folder, target, "--skip"]
        self.suite("vectors", clock, lambda skip: self.programmes.java("dev.gatun.test.emulator.RecordVectors", *arguments, skip))

    def contract(self, clock):
        """The contract suite, and what cuobjdump says beside it."""
        each = 3 if self.arguments.emulator else CASES
        if not self.arguments.emulator:
            threading.Thread(target=self.read_code, daemon=True).start()

        def command(skip):
            seconds = max(1, int(clock.left() - 5))
            main = "dev.gatun.test.contract.programs.DeviceContract"
            java = self.programmes.java(main, seconds, each, "--skip", skip, heap=HEAP)
            tool = self.arguments.sanitizer
            options = ["--target-processes", "all", "--error-exitcode", "9", "--print-limit", "20"]
            return ["compute-sanitizer", "--tool", tool, *options, *java] if tool else java

        # A sanitizer, and the emulator on a busy processor, take long for what is no hang.
        slow = self.arguments.sanitizer or self.arguments.emulator
        limits = {"first_seconds": 120, "case_seconds": 120} if slow else {}
        self.suite(self.arguments.sanitizer or "contract", clock, command, **limits)

    def read_code(self):
        facts = device.code(self.programmes.images, device.architecture())
        local = [k for k, f in facts.items() if f.get("LDL") or f.get("STL")]
        self.results.facts["code"] = facts
        self.results.write({"phase": "code", "local_memory": local, "wgmma": [k for k, f in facts.items() if f.get("HGMMA") or f.get("IGMMA")]})

    def suite(self, name, clock, command, **limits):
        outcome = suites.run(name, command, self.log, clock, environment=self.programmes.environment, **limits)
        self.results.facts[name] = outcome.facts()
        self.results.write({"phase": name, **outcome.facts()})

    def clocks(self, when):
        if not self.arguments.emulator:
            self.results.facts.setdefault("clocks", {})[when] = device.clocks()

    def timing(self, clock):
        self.clocks("before timing")
        contenders = timings.kernel_contenders(self.programmes, self.log)
        timings.kernels(timings.shapes(), contenders, self.results, clock, self.arguments.emulator)
        self.clocks("after timing")

    def e2e(self, clock):
        """Whole encoders; two libraries must agree before they are timed."""
        contenders = timings.encoder_contenders(self.programmes, self.log, str(self.programmes.pack / "models"))
        self.clocks("before e2e")
        timings.encoders(timings.shapes(), contenders, self.results, clock, self.arguments.emulator)
        self.clocks("after e2e")

    def run(self, phases):
        """Runs phases; one that fails does not end those after it. True where none failed."""
        clock = Clock(min(self.arguments.deadline, MOST_SECONDS))
        failed = False
        try:
            for phase in ["prepare", *phases]:
                share = PHASES.get(phase, 0.5) if len(phases) > 1 else 1
                if clock.left() < 1:
                    break
                try:
                    if phase == "prepare":
                        self.results.facts["images"] = self.programmes.prepare(self.log, clock.left())
                    else:
                        getattr(self, phase)(clock.part(share))
                except (OSError, ValueError, subprocess.SubprocessError) as e:
                    failed = True
                    self.results.facts[phase] = {"error": repr(e)}
                    self.results.write({"phase": "error", "of": phase, "error": repr(e)})
        finally:
            self.results.merge()
            self.log.close()
        return not failed and not self.results.wrong()


def main():
    parser = argparse.ArgumentParser(description="Measures Gatun's CUDA kernels beside PyTorch's.")
    parser.add_argument("--phase", choices=[*PHASES, "all"], default="all")
    parser.add_argument("--deadline", type=float, default=540, help="seconds, 540 at most")
    parser.add_argument("--sanitizer", choices=["memcheck", "racecheck"], help="run the contract suite under compute-sanitizer")
    parser.add_argument("--commit", default="", help="what was checked out")
    parser.add_argument("--pack", default=str(HERE.parent / "target" / "gpu"), help="the folder that pack.sh made")
    parser.add_argument("--out", default=os.environ.get("OUT", str(HERE.parent / "target" / "gpu-results")))
    parser.add_argument("--items", default=str(smoke.ITEMS), help="what the smoke phase runs")
    parser.add_argument("--emulator", action="store_true", help="small sizes on the emulated driver, without PyTorch")
    arguments = parser.parse_args()
    phases = list(PHASES) if arguments.phase == "all" else [arguments.phase]
    sys.exit(0 if Harness(arguments).run(phases) else 1)


if __name__ == "__main__":
    main()
