"""Contenders: processes that answer a line, a row, with lines of results, as dev.gatun.bench.gpu.Answers says."""

import json

from processes import LOST, Clock, Process

READY_SECONDS = 120
# Starts in a row of one that never says that it is ready.
MOST_STARTS = 2
# What is skipped where no single measurement was begun.
WHOLE = "*"


def parsed(line):
    """What a line says; nothing where it is no answer, as what a library prints is none."""
    try:
        answer = json.loads(line)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


class Contender:
    """A contender that is started again when it hung, ended or lost its device, and not asked again for what ended it.

    command: its command line; takes: which rows are asked of it."""

    def __init__(self, name, command, log, environment=None, takes=lambda row: True):
        self.name, self.command, self.log, self.environment, self.takes = name, command, log, environment, takes
        self.process, self.hello, self.failed_starts, self.starts = None, None, 0, 0
        self.skipped = {}
        self.start()

    def start(self):
        if self.process is None and self.failed_starts < MOST_STARTS:
            self.process = Process(self.name, self.command, self.log, self.environment)
            self.starts += 1
            self.is_ready = False

    def ready(self, seconds):
        """Waits until it says that it is; what went wrong where it does not."""
        self.start()
        if self.process is None:
            return f"was not started again after {MOST_STARTS} starts that failed"
        if self.is_ready:
            return None
        try:
            line = self.process.line(min(READY_SECONDS, seconds))
            while line is not None and "ready" not in parsed(line):
                line = self.process.line(min(READY_SECONDS, seconds))
            self.hello = parsed(line) if line is not None else {"error": self.process.ended()}
        except TimeoutError as e:
            self.hello = {"error": str(e)}
        if "error" in self.hello:
            self.failed_starts += 1
            self.end()
            return "did not start: " + str(self.hello.get("error"))
        self.failed_starts, self.is_ready = 0, True
        return None

    def ask(self, row, seconds):
        """The results of a row, and by name what went wrong."""
        if not self.takes(row):
            return [], {}
        key = row["id"]
        if WHOLE in self.skipped.get(key, []):
            return [], {}
        problem = self.ready(seconds)
        if problem:
            return [], {self.name: problem}
        answers, errors, at, clock = [], {}, WHOLE, Clock(seconds)
        try:
            self.process.send(json.dumps({**row, "skip": self.skipped.get(key, [])}))
            while True:
                line = self.process.line(clock.left())
                if line is None:
                    raise OSError(self.process.ended())
                answer = parsed(line)
                if "begin" in answer:
                    at = answer["begin"]
                elif "name" in answer:
                    answers.append(answer)
                if "failed" in answer:
                    errors[self.name if at == WHOLE else at] = answer["failed"]
                    if any(words in answer["failed"] for words in LOST):
                        raise OSError(answer["failed"])
                if "done" in answer:
                    return answers, errors
                if "name" in answer:
                    at = WHOLE
        except OSError as e:
            late = f"no answer within {seconds:.0f} s"
            errors[self.name if at == WHOLE else at] = late if isinstance(e, TimeoutError) else str(e) or repr(e)
            self.skipped.setdefault(key, []).append(at)
            self.end()
        return answers, errors

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process = None
