"""The phase that says in two minutes what runs at all: each item in a process of its own, several at a time."""

import json
import pathlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import suites
from processes import Clock

ITEM_SECONDS = 15
AT_ONCE = 4
PHASE_SECONDS = 150
# A process of a few seconds.
QUICK = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
ITEMS = pathlib.Path(__file__).resolve().parent / "smoke.json"


def items(file=ITEMS):
    return json.loads(pathlib.Path(file).read_text())["items"]


def rows(item, emulated):
    """An item's rows, on the emulator with the sizes that it has for that."""
    for row in item["rows"]:
        small = row.get("small", {})
        yield json.dumps({**{k: v for k, v in row.items() if k != "small"}, **(small if emulated else {})})


def command(item, programmes, out, seconds):
    """A command line of the file of what to skip, of a program that may take so many seconds."""
    if "command" in item:
        return lambda skip: item["command"]
    if "probes" in item:
        arguments = [programmes.images, out, item["id"].replace(" ", "-"), "--only", item["probes"]]
        return lambda skip: programmes.java("dev.gatun.test.emulator.RecordVectors", *arguments, "--skip", skip, flags=QUICK)
    if "kernel" in item:
        flags = [*QUICK, f"-Dgatun.test.kernel={item['kernel']}"]
        arguments = [round(seconds) - 5, 1 if programmes.emulator else item.get("each", 1)]
        return lambda skip: programmes.java("dev.gatun.test.contract.programs.DeviceContract", *arguments, "--skip", skip, flags=flags, heap="6g")
    arguments = list(rows(item, programmes.emulator))
    return lambda skip: programmes.java("dev.gatun.bench.gpu.Smoke", *arguments, heap="6g", flags=QUICK)


def run_item(item, programmes, log, out, clock, seconds):
    """One process and no other: what ends it is the item's result."""
    start = time.monotonic()
    if clock.left() < 1:
        return {"status": "not run", "message": "the phase's time was over"}
    limit = Clock(min(seconds, clock.left()))
    outcome = suites.Outcome()
    try:
        process = suites.Process(item["id"], command(item, programmes, out, seconds)(pathlib.Path(out) / "none"), log, {**programmes.environment, **item.get("environment", {})})
        try:
            # A program that says nothing more within the limit hangs, whatever it said before.
            suites.read(process, outcome, Clock(limit.left() + 60), seconds, seconds, until=limit)
        finally:
            process.kill()
    except OSError as e:
        outcome.problem(None, "error", str(e))
    result = {"status": outcome.status(), "seconds": round(time.monotonic() - start, 1), "right": len(outcome.right)}
    if result["status"] == "nothing ran":
        result["message"] = outcome.summary
    elif outcome.problems:
        # The worst one in words, and its error code where it has one.
        worst = next(p for p in outcome.problems if p["status"] == outcome.status())
        code = suites.code_of(worst["message"])
        result.update(case=worst["case"], message=worst["message"][:600], **({"code": code} if code else {}))
    return result


def run(all_items, programmes, log, results, clock, out, seconds=ITEM_SECONDS, at_once=AT_ONCE):
    """Runs all items, the ones that come later left out where the time is over; how many had which status."""
    counts, lock = {}, threading.Lock()
    (pathlib.Path(out) / "none").write_text("")

    def one(item):
        try:
            found = run_item(item, programmes, log, out, clock, seconds)
        except Exception as e:  # An item never ends the others.
            found = {"status": "error", "message": repr(e)}
        with lock:
            counts[found["status"]] = counts.get(found["status"], 0) + 1
        results.write({"phase": "smoke", "id": item["id"], **found})

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, all_items))
    return counts
