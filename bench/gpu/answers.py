"""How a contender in Python speaks to the harness: as dev.gatun.bench.gpu.Answers does."""

import json
import sys


def line(value):
    print(json.dumps(value), flush=True)


class Answers:
    """The results of one row."""

    def __init__(self, row):
        self.skipped = set(row.get("skip", []))

    def measure(self, name, measurement):
        """Measures one thing; one that fails does not end the row."""
        if name in self.skipped:
            return
        line({"begin": name})
        answer = {"name": name}
        try:
            answer.update(measurement())
        except Exception as e:
            answer["failed"] = f"{type(e).__name__}: {e}".split("\n")[0]
        line(answer)


def give(ready, answer):
    """Answers rows until the input ends."""
    line(ready)
    for text in sys.stdin:
        row = json.loads(text)
        done = {"done": True}
        try:
            answer(row, Answers(row))
        except Exception as e:
            done["failed"] = f"{type(e).__name__}: {e}".split("\n")[0]
        line(done)
