"""Processes that may hang or crash: what they print is kept as it comes, and nobody waits for them without a limit."""

import os
import queue
import signal
import subprocess
import threading
import time

# What a message says when the process can use its device no more.
LOST = ("lost to this process", "CUDA error:", "AcceleratorError")
LOG_BYTES = 12 << 20


class Log:
    """One file for what all processes print, standard error too, each line behind the process's name."""

    def __init__(self, path):
        self.file = open(path, "ab", buffering=0)
        self.lock = threading.Lock()
        self.last = None
        self.left = LOG_BYTES

    def add(self, name, data):
        """Bytes as they come: a line that is not complete is kept too."""
        with self.lock:
            if self.left <= 0:
                return
            text = b"" if self.last in (None, name) else b"\n"
            for line in data.splitlines(keepends=True):
                start = b"" if self.last == name and not text else f"{name}: ".encode()
                text += start + line
                self.last = None if line.endswith(b"\n") else name
            self.left -= len(text)
            self.file.write(text if self.left > 0 else text + b"\n(cut: the file is as long as it may be)\n")

    def close(self):
        self.file.close()


class Process:
    """A process that is read line by line."""

    def __init__(self, name, command, log, environment=None):
        self.name, self.log = name, log
        self.lines = queue.Queue()
        # In a session of its own, so that what it starts ends with it.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self):
        rest = b""
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            self.log.add(self.name, data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self.lines.put(line.decode(errors="replace"))
        if rest:
            self.lines.put(rest.decode(errors="replace"))
        self.lines.put(None)
        self.process.stdout.close()

    def _read_errors(self):
        while data := os.read(self.process.stderr.fileno(), 1 << 16):
            self.log.add(self.name + " (stderr)", data)
        self.process.stderr.close()

    def line(self, seconds):
        """The next line; None at the end.

        Raises TimeoutError where there is none within so many seconds."""
        try:
            return self.lines.get(timeout=max(0.01, seconds))
        except queue.Empty:
            raise TimeoutError(f"no answer within {seconds:.0f} s") from None

    def send(self, text):
        """Raises OSError where the process has ended."""
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def ended(self):
        """How it ended, in words; it has closed its output."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "closed its output and went on"
        return f"exit {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"

    def kill(self):
        """Ends it. One that the kernel cannot end, as its driver may be stuck, is left behind."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        try:
            self.process.stdin.close()
        except OSError:
            pass


class Clock:
    """A time that ends."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def left(self):
        return self.end - time.monotonic()

    def part(self, share):
        """A clock for a share of what is left."""
        return Clock(share * self.left())
