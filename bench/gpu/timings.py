"""The phases that time: kernels and whole encoders, ours beside others', in turn."""

import json
import pathlib
import statistics
import sys
import tempfile

import device
from contenders import Contender

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 2
# What one contender may take for a row, the compiling of its kernels included.
ROW_SECONDS = 45
LEAST_SECONDS = 5
# How far the last hidden states of two libraries may be apart, as the norm of the difference over the norm.
BOUNDS = {"F32": 1e-4, "F16": 1e-2, "BF16": 5e-2}


def family(row):
    """What an id begins with."""
    return row["id"].split("-")[0]


def in_turn(rows):
    """The first row of each family, then the second of each, in the order of the list."""
    seen, places = {}, []
    for row in rows:
        seen[family(row)] = seen.get(family(row), 0) + 1
        places.append(seen[family(row)])
    return [row for _, row in sorted(zip(places, rows), key=lambda pair: pair[0])]


class Row:
    """What contenders said of a row."""

    def __init__(self):
        self.times, self.errors, self.wrong, self.checked, self.differences = {}, {}, {}, {}, {}
        self.unfinished = []

    def add(self, answers, errors):
        self.errors.update(errors)
        for answer in answers:
            name = answer["name"]
            if "error" in answer:
                # The largest error that was seen, as a share of what is allowed.
                self.checked[name] = max(answer["error"], self.checked.get(name, 0))
            if "wrong" in answer:
                self.wrong[name] = answer["wrong"]
            if "seconds" in answer:
                self.times.setdefault(name, []).append(answer["seconds"])
            if "difference" in answer:
                self.differences[name] = answer["difference"]

    def facts(self):
        """A wrong result has no time."""
        seconds = {name: statistics.median(t) for name, t in self.times.items() if name not in self.wrong}
        spread = {name: round(max(t) / min(t), 3) for name, t in self.times.items() if len(t) > 1 and name in seconds}
        facts = {"seconds": seconds, "spread": spread, "checked": self.checked, "wrong": self.wrong, "differences": self.differences, "errors": self.errors, "unfinished": self.unfinished}
        return {name: value for name, value in facts.items() if value or name in ("seconds", "errors")}


def kernel_contenders(programmes, log):
    timings = "dev.gatun.bench.gpu.GpuTimings"
    found = [Contender("gatun", programmes.java(timings, "gatun", heap="8g"), log, programmes.environment)]
    if not programmes.emulator:
        library = device.cublaslt()
        if library:
            # Our products as users get them where that library is installed.
            command = programmes.java(timings, "gatun-cublaslt", cublaslt=library, heap="8g")
            found.append(Contender("gatun-cublaslt", command, log, takes=lambda row: row["kernel"] == "matmul"))
        found.append(Contender("torch", [sys.executable, str(HERE / "torch_timings.py")], log))
    return found


def encoder_contenders(programmes, log, models):
    timings = "dev.gatun.bench.gpu.EncoderTimings"
    found = [Contender("gatun", programmes.java(timings, "gatun", "cuda", models, heap="8g"), log, programmes.environment)]
    if programmes.emulator:
        found.append(Contender("gatun-cpu", programmes.java(timings, "gatun-cpu", "cpu", models), log, programmes.environment))
        return found
    library = device.cublaslt()
    if library:
        found.append(Contender("gatun-cublaslt", programmes.java(timings, "gatun-cublaslt", "cuda", models, cublaslt=library, heap="8g"), log))
    found.append(Contender("torch", [sys.executable, str(HERE / "torch_models.py"), models], log))
    return found


def ask(contender, row, found, clock):
    """Asks for what the time that is left allows: what it cuts off is no fault of the contender's."""
    limit = min(ROW_SECONDS, clock.left())
    if limit < 1:
        found.unfinished.append(contender.name)
        return
    answers, errors = contender.ask(row, limit)
    if clock.left() < 0.1 and any(message.startswith("no answer within") for message in errors.values()):
        found.unfinished += errors
        errors = {}
    found.add(answers, errors)


def rounds(row, contenders, found, clock, count):
    """In turn, so that what changes on the machine changes for all."""
    for _ in range(count):
        for contender in contenders:
            ask(contender, row, found, clock)


def finish(contenders, results, prefix=""):
    known = {prefix + c.name: {**(c.hello or {}), "starts": c.starts} for c in contenders}
    results.facts.setdefault("contenders", {}).update(known)
    for contender in contenders:
        contender.end()


def sized(row, small, emulated):
    """The row, on the emulator with sizes no larger than these, and than those of its own for that."""
    limits = {**small, **row.get("small", {})} if emulated else {}
    return {k: min(v, limits[k]) if k in limits else v for k, v in row.items() if k != "small"}


def kernels(shapes, contenders, results, clock, emulated):
    """Times the rows of shapes.json until the time is over."""
    try:
        for row in in_turn(shapes["rows"]):
            if clock.left() < LEAST_SECONDS:
                break
            row = sized(row, shapes["small"], emulated)
            found = Row()
            rounds(row, contenders, found, clock, 1 if emulated else ROUNDS)
            results.write({"phase": "timing", "id": row["id"], "row": row, **found.facts()})
    finally:
        finish(contenders, results)


def agree(row, contenders, file, found, clock):
    """Whether libraries compute the same; those that do not are wrong, and where none does, the first one is."""
    first, *others = contenders
    ask(first, {**row, "write": file}, found, clock)
    for contender in others:
        ask(contender, {**row, "compare": file}, found, clock)
    bound = BOUNDS[row["dtype"]]
    for name, apart in found.differences.items():
        # A NaN is within no bound.
        if not (isinstance(apart, float) and apart <= bound):
            found.wrong[name] = f"apart by {apart} from {first.name}, allowed {bound}"
    agreed = set(found.differences) - set(found.wrong)
    if not agreed and not found.unfinished:
        found.wrong[first.name] = "not timed: it agrees with no other"
    return bool(agreed)


def encoders(shapes, contenders, results, clock, emulated):
    """Times whole encoders that agree."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            for row in shapes["encoders"]:
                if clock.left() < LEAST_SECONDS:
                    break
                row = {**row, "sizes": shapes["models"][row["model"]]}
                if emulated:
                    row["sizes"] = {**row["sizes"], **shapes["small_model"]}
                    row.update({k: min(v, row[k]) for k, v in shapes["small_batch"].items()})
                found = Row()
                if agree(row, contenders, str(pathlib.Path(folder) / "hidden.bin"), found, clock):
                    rounds(row, contenders, found, clock, 1 if emulated else ROUNDS)
                results.write({"phase": "e2e", "id": row["id"], "row": row, **found.facts()})
    finally:
        finish(contenders, results, "e2e ")


def shapes():
    return json.loads((HERE / "shapes.json").read_text())
