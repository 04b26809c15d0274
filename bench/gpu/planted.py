"""Programs that go wrong, for test_harness.py: planted.py cases SKIP MISTAKE... | contender NAME MISTAKE..."""

import json
import os
import pathlib
import sys
import time

LOST = "cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS (700), an illegal memory access. The device is lost to this process: only a new one can use it again"


def say(line):
    print(line, flush=True)


def go_wrong(mistake):
    """What ends a process, or keeps it from ending."""
    if mistake == "hang":
        time.sleep(600)
    if mistake == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os.write(1, b"half a line")
        os.abort()


def cases(skip, *mistakes):
    """Ten cases and one that is called by each mistake; what the device is lost to fails ever after."""
    skipped = pathlib.Path(skip).read_text().split("\n")
    lost = False
    names = [f"case {i}" for i in range(10)]
    for i, mistake in enumerate(mistakes):
        names.insert(2 * i + 1, mistake)
    for name in names:
        if name in skipped:
            continue
        say("begin " + name)
        go_wrong(name)
        lost = lost or name == "lost"
        if lost:
            say(f"failed: {name} {LOST}")
        elif name == "wrong":
            say(f"failed: {name} y[3] errs by 0.5 (allowed 0.01)")
        elif name == "error":
            say(f"failed: {name} cuLaunchKernel(add): CUDA_ERROR_INVALID_VALUE (1), invalid argument")
        else:
            say("right " + name)
    say("cases: all")


def contender(name, *mistakes):
    """Answers every row right, but one whose id is a mistake; `late` never says that it is ready."""
    if "late" in mistakes:
        raise SystemExit("no device")
    say(json.dumps({"ready": name}))
    lost = False
    for line in sys.stdin:
        row = json.loads(line)
        for part in (name, name + "-other"):
            if part in row["skip"]:
                continue
            say(json.dumps({"begin": part}))
            mine = part == name and row["id"] in mistakes
            if mine:
                go_wrong(row["id"])
            lost = lost or mine and row["id"] == "lost"
            if lost:
                say(json.dumps({"name": part, "failed": LOST}))
            elif mine and row["id"] == "wrong":
                say(json.dumps({"name": part, "error": 3.5, "wrong": "y[0, 1] is 2, expected 1"}))
            else:
                say(json.dumps({"name": part, "error": 0.5, "seconds": 1e-5}))
        say(json.dumps({"done": True}))


if __name__ == "__main__":
    {"cases": cases, "contender": contender}[sys.argv[1]](*sys.argv[2:])
