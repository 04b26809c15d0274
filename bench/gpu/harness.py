"""Runs the phases of bench/gpu/run.sh; see bench/gpu/README.md."""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

import tables

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 3
# A row that takes longer is given up.
ROW_SECONDS = 60
# No run takes longer, whatever is asked for.
MOST_SECONDS = 540
# Each phase and its share of the time that is left to it and to those after it.
PHASES = {"probe": 0.2, "vectors": 0.2, "contract": 0.3, "timing": 0.6, "e2e": 1.0}
# How far the last hidden states of two libraries may be apart, as the norm of the difference over the norm.
BOUNDS = {"F32": 1e-4, "F16": 1e-2, "BF16": 5e-2}
CLOCKS = "clocks.sm,clocks.mem,power.draw,temperature.gpu,clocks_event_reasons.active"


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"{command[0]}: {e}"


def code_facts(sass, usage):
    """What cuobjdump shows of each kernel: instructions of the tensor cores, of local memory, registers and stack."""
    facts, kernel = {}, None
    for line in sass.splitlines():
        found = re.search(r"Function : (\S+)", line)
        if found:
            kernel = facts.setdefault(found[1], {})
        elif kernel is not None:
            for name in re.findall(r"\b(HGMMA|IGMMA|HMMA|IMMA|LDL|STL|UTMALDG|UTMASTG)\b", line):
                kernel[name] = kernel.get(name, 0) + 1
    for name, text in re.findall(r"Function (\S+):\s*\n\s*(REG:.*)", usage):
        for key, value in re.findall(r"(REG|STACK|LOCAL):(\d+)", text):
            facts.setdefault(name, {})[key] = int(value)
    return facts


class Answering:
    """A process that answers each line with a line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = self.line(120)

    def line(self, seconds):
        timer = threading.Timer(seconds, self.process.kill)
        timer.start()
        try:
            text = self.process.stdout.readline()
            return json.loads(text) if text else {"error": f"ended, or no answer within {seconds:.0f} s"}
        except ValueError:
            return {"error": f"cut off after {seconds:.0f} s"}
        finally:
            timer.cancel()

    def ask(self, row, seconds):
        try:
            self.process.stdin.write(json.dumps(row) + "\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return {"error": "the process has ended"}
        return self.line(max(1, seconds))

    def close(self):
        self.process.kill()
        self.process.wait()


class Harness:
    def __init__(self, arguments):
        self.arguments = arguments
        self.last = time.monotonic() + min(arguments.deadline, MOST_SECONDS)
        self.end = self.last
        self.pack = pathlib.Path(arguments.pack).resolve()
        self.lines = pathlib.Path(arguments.out) / "rows.jsonl"
        self.result = {"commit": arguments.commit, "emulated": arguments.emulator}

    def give(self, share):
        """Lets what follows have a share of the time that is left."""
        self.end = time.monotonic() + share * (self.last - time.monotonic())

    def left(self):
        return self.end - time.monotonic()

    def write(self, row):
        row = {"commit": self.arguments.commit, "emulated": self.arguments.emulator, **row}
        with self.lines.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def java(self, main, *arguments):
        driver = self.pack / "emulator" / "libgatun_emulated_cuda.so"
        options = ["--enable-native-access=ALL-UNNAMED", "-Dgatun.test.cuda=device", "-Dgatun.cache=" + str(self.pack / "cache")]
        options.append("-Dgatun.cuda.cublaslt=off")  # What is tested and timed are our own kernels.
        if self.arguments.emulator:
            options += [f"-Dgatun.cuda.driver={driver}", f"-Dgatun.cuda.images={driver.parent / 'images'}"]
        else:
            options.append("-Dgatun.cuda.images=" + str(self.pack / "images"))
        path = ":".join(str(p) for p in [self.pack / "classes", *sorted((self.pack / "lib").glob("*.jar"))])
        return [str(self.pack / "jre" / "bin" / "java"), *options, "-cp", path, main, *arguments]

    def capability(self):
        found = output_of("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader").split("\n")[0].replace(".", "")
        return "90a" if found == "90" else found

    def build(self):
        """Compiles the kernels for the device that is here."""
        if self.arguments.emulator or (self.pack / "images" / "kernels.list").exists():
            return
        target = self.capability()
        start = time.monotonic()
        subprocess.run(
            ["bash", str(self.pack / "cuda-src" / "build.sh"), str(self.pack / "build"), str(self.pack / "images"), target],
            check=True,
            timeout=max(1, self.left()),
        )
        self.result["build"] = {"target": "sm_" + target, "seconds": round(time.monotonic() - start, 1)}
        if shutil.which("cuobjdump"):
            facts = {}
            for image in sorted((self.pack / "images").glob("*.fatbin")):
                facts.update(code_facts(*(output_of("cuobjdump", option, str(image)) for option in ("-sass", "-res-usage"))))
            self.result["code"] = facts
            self.write({"phase": "code", "local_memory": [k for k, f in facts.items() if f.get("LDL") or f.get("STL")], "wgmma": [k for k, f in facts.items() if f.get("HGMMA") or f.get("IGMMA")]})

    def probe(self):
        self.result["probe"] = {
            "device": output_of("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit", "--format=csv"),
            "nvcc": output_of("nvcc", "--version").split("\n")[-1],
            "torch": output_of(sys.executable, "-c", "import torch; print(torch.__version__, torch.version.cuda, torch.cuda.is_available())"),
            "cuobjdump": shutil.which("cuobjdump"),
        }
        self.write({"phase": "probe", **self.result["probe"]})

    def vectors(self):
        """What the device makes of the words that the emulator's primitives are tried with."""
        images, folder = self.pack / "images", pathlib.Path(self.arguments.out) / "vectors"
        if self.arguments.emulator:
            images, target = self.pack / "emulator" / "images", "emulated"
        else:
            architecture = self.result["build"]["target"] if "build" in self.result else "sm_" + self.capability()
            target = architecture.rstrip("a")
            probes = self.pack / "probes"
            for source in sorted(probes.glob("*.cu")):
                subprocess.run(
                    ["nvcc", "-std=c++17", "-O3", "-I", str(self.pack / "cuda-src" / "include"), "-gencode", f"arch=compute_{architecture[3:]},code={architecture}", "-fatbin", "-o", str(images / (source.stem + ".fatbin")), str(source)],
                    check=True,
                    timeout=max(1, self.left()),
                )
        self.programme("vectors", "dev.gatun.test.emulator.RecordVectors", str(images), str(folder), target, problem="differs:")

    def contract(self):
        seconds = max(2, int(self.left() * 0.8))
        each = "3" if self.arguments.emulator else "300"
        name = self.arguments.sanitizer or "contract"
        self.programme(name, "dev.gatun.test.contract.DeviceContract", str(seconds), each, problem="failed:", sanitizer=self.arguments.sanitizer)

    def programme(self, phase, main, *arguments, problem, sanitizer=None):
        """Runs a program of Java whose last line sums up, and whose lines that begin with `problem` are problems."""
        command = self.java(main, *arguments)
        if sanitizer:
            command = ["compute-sanitizer", "--tool", sanitizer, "--target-processes", "all", "--error-exitcode", "9", "--print-limit", "20", *command]
        run = subprocess.run(command, capture_output=True, text=True, timeout=max(1, self.left()))
        lines = run.stdout.strip().split("\n")
        sums = [l for l in lines if not l.startswith("=========")] or [""]
        problems = [l for l in lines if l.startswith((problem, "========="))]
        self.result[phase] = {"summary": sums[-1], "problems": problems[:50], "error": run.stderr[-2000:] or f"exit {run.returncode}" if run.returncode else ""}
        self.write({"phase": phase, **self.result[phase]})

    def clocks(self, when):
        if not self.arguments.emulator:
            self.result.setdefault("clocks", {})[when] = output_of("nvidia-smi", "--query-gpu=" + CLOCKS, "--format=csv,noheader")

    def timing(self):
        shapes = json.loads((HERE / "shapes.json").read_text())
        self.clocks("before timing")
        contenders = {"gatun": Answering(self.java("dev.gatun.bench.gpu.GpuTimings"))}
        if not self.arguments.emulator:
            contenders["torch"] = Answering([sys.executable, str(HERE / "torch_timings.py")])
        self.result["contenders"] = {name: c.hello for name, c in contenders.items()}
        for row in shapes["rows"]:
            if self.left() < 5:
                break
            if self.arguments.emulator:
                row = {**row, **{k: min(v, row[k]) for k, v in shapes["small"].items() if k in row}}
            seconds, errors = self.rounds(row, contenders)
            self.write({"phase": "timing", "id": row["id"], "row": row, "seconds": seconds, "errors": errors})
        self.clocks("after timing")
        for contender in contenders.values():
            contender.close()

    def rounds(self, row, contenders):
        """Medians by name; rounds in turn, so that what changes on the machine changes for all."""
        times, errors = {}, {}
        for _ in range(1 if self.arguments.emulator else ROUNDS):
            for name, contender in contenders.items():
                answer = contender.ask(row, min(ROW_SECONDS, self.left()))
                if name == "gatun" and "seconds" in answer:
                    answer = {"gatun": answer["seconds"]}
                for key, value in answer.items():
                    if isinstance(value, float):
                        times.setdefault(key, []).append(value)
                    elif "error" in key:
                        errors[name + " " + key] = value
        return {name: statistics.median(values) for name, values in times.items()}, errors

    def e2e(self):
        """Whole encoders; two libraries must agree before they are timed."""
        shapes = json.loads((HERE / "shapes.json").read_text())
        models, out = self.pack / "models", pathlib.Path(self.arguments.out).resolve()
        contenders = {"gatun": Answering(self.java("dev.gatun.bench.gpu.EncoderTimings", "cuda", str(models)))}
        if self.arguments.emulator:
            contenders["cpu"] = Answering(self.java("dev.gatun.bench.gpu.EncoderTimings", "cpu", str(models)))
        else:
            contenders["torch"] = Answering([sys.executable, str(HERE / "torch_models.py"), str(models)])
        self.result.setdefault("contenders", {}).update({"e2e " + name: c.hello for name, c in contenders.items()})
        self.clocks("before e2e")
        for row in shapes["encoders"]:
            if self.left() < 5:
                break
            row = {**row, "sizes": shapes["models"][row["model"]]}
            if self.arguments.emulator:
                row["sizes"] = {**row["sizes"], **shapes["small_model"]}
                row.update({k: min(v, row[k]) for k, v in shapes["small_batch"].items()})
            file = str(out / "hidden.bin")
            seconds, errors, differences = {}, {}, {}
            for name, contender in contenders.items():
                answer = contender.ask({**row, "write" if name == "gatun" else "compare": file}, min(ROW_SECONDS, self.left()))
                differences.update({k: v for k, v in answer.items() if k.endswith("-difference")})
                errors.update({name + " " + k: v for k, v in answer.items() if "error" in k})
            # A NaN is within no bound.
            apart = {k: v for k, v in differences.items() if not (isinstance(v, float) and v <= BOUNDS[row["dtype"]])}
            if apart or not differences:
                errors["agreement"] = f"not timed: apart by {apart}, allowed {BOUNDS[row['dtype']]}"
            else:
                seconds, more = self.rounds(row, contenders)
                errors.update(more)
            self.write({"phase": "e2e", "id": row["id"], "row": row, "seconds": seconds, "differences": differences, "errors": errors})
        self.clocks("after e2e")
        for contender in contenders.values():
            contender.close()

    def merge(self):
        rows = [json.loads(line) for line in self.lines.read_text().splitlines()] if self.lines.exists() else []
        mine = [row for row in rows if row["commit"] == self.arguments.commit and row["emulated"] == self.arguments.emulator]
        target = pathlib.Path(self.arguments.out) / f"{'emulated' if self.arguments.emulator else 'gpu'}-{self.arguments.commit[:12] or 'unknown'}.json"
        old = json.loads(target.read_text()) if target.exists() else {}
        old.update(self.result)
        for phase in ("timing", "e2e"):
            measured = {row["id"]: {k: row[k] for k in ("row", "seconds", "differences", "errors") if k in row} for row in mine if row["phase"] == phase}
            old[phase] = {**old.get(phase, {}), **measured}
        target.write_text(json.dumps(old, indent=1) + "\n")
        (pathlib.Path(self.arguments.out) / "table.md").write_text(tables.markdown(old))
        print(target)


def main():
    parser = argparse.ArgumentParser(description="Measures Gatun's CUDA kernels beside PyTorch's.")
    parser.add_argument("--phase", choices=[*PHASES, "all"], default="all")
    parser.add_argument("--deadline", type=float, default=540, help="seconds, 540 at most")
    parser.add_argument("--sanitizer", choices=["memcheck", "racecheck"], help="run the contract suite under compute-sanitizer")
    parser.add_argument("--commit", default="", help="what was checked out")
    parser.add_argument("--pack", default=str(HERE.parent / "target" / "gpu"), help="the folder that pack.sh made")
    parser.add_argument("--out", default=os.environ.get("OUT", str(HERE.parent / "target" / "gpu-results")))
    parser.add_argument("--emulator", action="store_true", help="small sizes on the emulated driver, without PyTorch")
    arguments = parser.parse_args()
    pathlib.Path(arguments.out).mkdir(parents=True, exist_ok=True)
    harness = Harness(arguments)
    failed = False
    try:
        phases = list(PHASES) if arguments.phase == "all" else [arguments.phase]
        if phases != ["probe"]:
            harness.build()
        for phase in phases:
            harness.give(PHASES[phase] if len(phases) > 1 else 1)
            if harness.left() < 1:
                continue
            getattr(harness, phase)()
    except (OSError, subprocess.SubprocessError) as e:
        failed = True
        harness.write({"phase": "error", "error": repr(e)})
    finally:
        harness.merge()
    wrong = any(isinstance(r, dict) and (r.get("error") or r.get("problems")) for r in harness.result.values())
    sys.exit(1 if failed or wrong else 0)


if __name__ == "__main__":
    main()
