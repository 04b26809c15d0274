"""Programs of many cases: each says `begin CASE` before one and `right CASE` or `failed: CASE why` after it. One that
hangs, crashes or loses its device is started again and told to skip what it has done and what ended it."""

import pathlib
import re
import tempfile

from processes import LOST, Process

FIRST_SECONDS = 60
CASE_SECONDS = 20
# Starts in a row that reach no case, and programs that are ended by cases, until it is enough.
MOST_STARTS = 3
MOST_ENDS = 40
MOST_PROBLEMS = 100


class Outcome:
    """What came of a program's cases."""

    def __init__(self):
        self.right, self.problems, self.summary, self.starts = [], [], "", 0
        # The case that the end of the time cut off, which says nothing of it.
        self.unfinished = None

    def problem(self, case, status, message):
        self.problems.append({"case": case, "status": status, "message": message[:2000]})

    def status(self):
        """The worst that there is: hang, crash, error, wrong; or right."""
        worst = [s for s in ("hang", "crash", "error", "wrong") if any(p["status"] == s for p in self.problems)]
        return worst[0] if worst else "right" if self.right else "nothing ran"

    def facts(self):
        counts = {}
        for p in self.problems:
            counts[p["status"]] = counts.get(p["status"], 0) + 1
        return {"right": len(self.right), **counts, "problems": self.problems[:MOST_PROBLEMS], "summary": self.summary, "starts": self.starts, "unfinished": self.unfinished}


def code_of(message):
    """The driver's error code in a message, or None."""
    found = re.search(r"CUDA_ERROR_\w+ \(\d+\)", message)
    return found[0] if found else None


def read(process, outcome, clock, first_seconds, case_seconds, until=None):
    """Reads a program until it ends, hangs, or loses its device; True where it need not be started again.

    until: a clock whose end counts as a hang"""
    case = None
    while True:
        limit = case_seconds if case is not None else first_seconds
        try:
            line = process.line(min(limit, clock.left(), until.left() if until else limit))
        except TimeoutError:
            hangs = clock.left() > 0.1
            if hangs:
                outcome.problem(case, "hang", f"no end within {round(until.seconds) if until else limit} s")
            else:
                outcome.unfinished = case
            return not hangs
        if line is None:
            how = process.ended()
            # Cases that failed give exit 1 too.
            finished = case is None and how in ("exit 0", "exit 1", "exit 9")
            if not finished:
                outcome.problem(case, "crash", how)
            elif not outcome.right and not outcome.problems and how != "exit 0":
                outcome.problem(None, "error", how + " before the first case")
            return finished
        if line.startswith("begin "):
            case = line[len("begin ") :]
        elif case is not None and line == "right " + case:
            outcome.right.append(case)
            case = None
        elif case is not None and line.startswith("failed: "):
            message = line[len("failed: ") :].removeprefix(case).strip()
            outcome.problem(case, "error" if code_of(message) else "wrong", message)
            case = None
            if any(words in message for words in LOST):
                return False
        elif line.startswith("========="):
            # What compute-sanitizer says, but that it runs and that nothing was wrong.
            if not re.search(r"COMPUTE-SANITIZER|ERROR SUMMARY: 0 errors|^=+$", line.strip()):
                outcome.problem(case, "wrong", line)
        elif line.strip():
            outcome.summary = line


def run(name, command, log, clock, first_seconds=FIRST_SECONDS, case_seconds=CASE_SECONDS, environment=None):
    """Runs a program to its end, or until the time is over.

    command: makes it of the file of what to skip."""
    outcome = Outcome()
    empty = 0
    with tempfile.TemporaryDirectory() as folder:
        skip = pathlib.Path(folder) / "skip.txt"
        while clock.left() > 0.5 and empty < MOST_STARTS and outcome.starts < MOST_ENDS:
            done = outcome.right + [p["case"] for p in outcome.problems if p["case"] is not None]
            skip.write_text("".join(case + "\n" for case in done))
            outcome.starts += 1
            process = Process(name, command(skip), log, environment)
            try:
                if read(process, outcome, clock, first_seconds, case_seconds):
                    break
            finally:
                process.kill()
            empty = 0 if len(done) < len(outcome.right) + sum(p["case"] is not None for p in outcome.problems) else empty + 1
    return outcome
