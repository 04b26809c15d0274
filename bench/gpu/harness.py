"""Runs the phases of bench/gpu/run.sh; see bench/gpu/README.md."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 3
# A row that takes longer is given up.
ROW_SECONDS = 60


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"{command[0]}: {e}"


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
        self.end = time.monotonic() + arguments.deadline
        self.pack = pathlib.Path(arguments.pack).resolve()
        self.lines = pathlib.Path(arguments.out) / "rows.jsonl"
        self.result = {"commit": arguments.commit, "emulated": arguments.emulator}

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

    def build(self):
        """Compiles the kernels for the device that is here."""
        if self.arguments.emulator or (self.pack / "images" / "kernels.list").exists():
            return
        capability = output_of("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader").split("\n")[0]
        target = capability.replace(".", "")
        target = "90a" if target == "90" else target
        start = time.monotonic()
        subprocess.run(
            ["bash", str(self.pack / "cuda-src" / "build.sh"), str(self.pack / "build"), str(self.pack / "images"), target],
            check=True,
        )
        self.result["build"] = {"target": "sm_" + target, "seconds": round(time.monotonic() - start, 1)}

    def probe(self):
        self.result["probe"] = {
            "device": output_of("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit", "--format=csv"),
            "nvcc": output_of("nvcc", "--version").split("\n")[-1],
            "torch": output_of(sys.executable, "-c", "import torch; print(torch.__version__, torch.version.cuda, torch.cuda.is_available())"),
            "cuobjdump": shutil.which("cuobjdump"),
        }
        self.write({"phase": "probe", **self.result["probe"]})

    def contract(self):
        seconds = max(5, int(min(self.left() * 0.8, 240)))
        each = "3" if self.arguments.emulator else "300"
        run = subprocess.run(self.java("dev.gatun.test.contract.DeviceContract", str(seconds), each), capture_output=True, text=True)
        lines = run.stdout.strip().split("\n")
        self.result["contract"] = {"summary": lines[-1], "failed": [l for l in lines if l.startswith("failed:")][:50], "error": run.stderr[-2000:] if run.returncode else ""}
        self.write({"phase": "contract", **self.result["contract"]})

    def timing(self):
        shapes = json.loads((HERE / "shapes.json").read_text())
        contenders = {"gatun": Answering(self.java("dev.gatun.bench.gpu.GpuTimings"))}
        if not self.arguments.emulator:
            contenders["torch"] = Answering([sys.executable, str(HERE / "torch_timings.py")])
        self.result["contenders"] = {name: c.hello for name, c in contenders.items()}
        for row in shapes["rows"]:
            if self.left() < 5:
                break
            if self.arguments.emulator:
                row = {**row, **{k: min(v, row[k]) for k, v in shapes["small"].items() if k in row}}
            # Rounds in turn, so that what changes on the machine changes for all.
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
            medians = {name: statistics.median(values) for name, values in times.items()}
            self.write({"phase": "timing", "id": row["id"], "row": row, "seconds": medians, "errors": errors})
        for contender in contenders.values():
            contender.close()

    def merge(self):
        rows = [json.loads(line) for line in self.lines.read_text().splitlines()] if self.lines.exists() else []
        timings = {row["id"]: {k: row[k] for k in ("row", "seconds", "errors")} for row in rows if row["phase"] == "timing" and row["commit"] == self.arguments.commit and row["emulated"] == self.arguments.emulator}
        target = pathlib.Path(self.arguments.out) / f"{'emulated' if self.arguments.emulator else 'gpu'}-{self.arguments.commit[:12] or 'unknown'}.json"
        old = json.loads(target.read_text()) if target.exists() else {}
        old.update(self.result)
        old["timing"] = {**old.get("timing", {}), **timings}
        target.write_text(json.dumps(old, indent=1) + "\n")
        self.table(old["timing"])
        print(target)

    def table(self, timings):
        names = sorted({name for row in timings.values() for name in row["seconds"]} - {"gatun"})
        lines = ["".join(f"| {name} " for name in ["row", "gatun", *names]) + "|", "|---|---:|" + "---:|" * len(names)]
        for name, row in timings.items():
            ours = row["seconds"].get("gatun")
            cells = [f"{ours * 1e6:.1f} us" if ours else "-"]
            for other in names:
                theirs = row["seconds"].get(other)
                ratio = f" ({theirs / ours:.2f}x)" if ours and theirs else ""
                cells.append(f"{theirs * 1e6:.1f} us{ratio}" if theirs else "-")
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        (pathlib.Path(self.arguments.out) / "table.md").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description="Measures Gatun's CUDA kernels beside PyTorch's.")
    parser.add_argument("--phase", choices=["probe", "contract", "timing", "all"], default="all")
    parser.add_argument("--deadline", type=float, default=540, help="seconds (540)")
    parser.add_argument("--commit", default="", help="what was checked out")
    parser.add_argument("--pack", default=str(HERE.parent / "target" / "gpu"), help="the folder that pack.sh made")
    parser.add_argument("--out", default=os.environ.get("OUT", str(HERE.parent / "target" / "gpu-results")))
    parser.add_argument("--emulator", action="store_true", help="small sizes on the emulated driver, without PyTorch")
    arguments = parser.parse_args()
    pathlib.Path(arguments.out).mkdir(parents=True, exist_ok=True)
    harness = Harness(arguments)
    failed = False
    try:
        phases = ["probe", "contract", "timing"] if arguments.phase == "all" else [arguments.phase]
        if phases != ["probe"]:
            harness.build()
        for phase in phases:
            if harness.left() < 3:
                break
            getattr(harness, phase)()
    except (OSError, subprocess.SubprocessError) as e:
        failed = True
        harness.write({"phase": "error", "error": repr(e)})
    finally:
        harness.merge()
    sys.exit(1 if failed or harness.result.get("contract", {}).get("error") else 0)


if __name__ == "__main__":
    main()
