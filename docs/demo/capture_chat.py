#!/usr/bin/env python3
"""Types a conversation into `gatun chat` in a pseudo-terminal and writes what it shows into docs/chat.md. Usage: capture_chat.py [COMMAND ...], the
command in place of ./gatun; run in the repository's root. With --raw it prints what came, escape sequences shown."""
import fcntl, os, pathlib, pty, re, select, struct, sys, termios, time

root = pathlib.Path(__file__).resolve().parents[2]
raw = "--raw" in sys.argv
command = [a for a in sys.argv[1:] if a != "--raw"] or ["./gatun"]
arguments = ["chat", "--model", "test/goldens/chat-model"]
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[=>]|\x1b\][^\x07]*\x07")

child, terminal = pty.fork()
if child == 0:
    os.chdir(root)
    os.environ.update(TERM="xterm-256color")
    os.execvp(command[0], command + arguments)

fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
shown = b""


def until(*texts, seconds=30):
    """Reads until all of some texts have come, behind what was there."""
    global shown
    start, end = len(shown), time.time() + seconds
    while not all(text in ESCAPES.sub("", shown[start:].decode("utf-8", "replace")) for text in texts):
        if time.time() > end:
            sys.exit(f"{texts!r} did not come; this did: {shown[start:]!r}")
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                sys.exit(f"the command ended before {texts!r} came: {shown[start:]!r}")


def type_in(text, then="> "):
    os.write(terminal, text.encode())
    until(then)


until("> ")
type_in("Hello!\r")
type_in("How many locks are there?\r")
type_in("Translate:\\\r", ". ")
type_in("ship\\\r", ". ")
type_in("lake\r")
type_in("/reset\r")
os.write(terminal, b"Count.\r")
until("1 2")
os.write(terminal, b"\x03")
until("stopped", "> ")
type_in("/stats\r")
type_in("/nonsense\r")
type_in("\x1b[A\x1b[A\x1b[A\x1b[A\x15/exit\r", "")
_, status = os.waitpid(child, 0)
if raw:
    print(shown)
    sys.exit(os.waitstatus_to_exitcode(status))
assert os.waitstatus_to_exitcode(status) == 0, status


def screen(text):
    """Lines as a terminal leaves them: what is typed over is gone."""
    lines, line, at = [], [], 0
    for part in re.split(r"(\x1b\[[0-?]*[ -/]*[@-~]|\x1b[=>]|[\r\n\b])", text):
        moved = re.fullmatch(r"\x1b\[(\d*)([CDGK])", part)
        if part == "\n":
            lines.append("".join(line).rstrip()); line, at = [], 0
        elif part == "\r":
            at = 0
        elif part == "\b":
            at = max(0, at - 1)
        elif moved:
            n = int(moved[1] or (0 if moved[2] == "K" else 1))
            at = {"C": at + n, "D": max(0, at - n), "G": n - 1, "K": at}[moved[2]]
            if moved[2] == "K":
                del line[at:]
        elif not part.startswith("\x1b"):
            for c in part:
                line[at:at + 1] = [c]
                at += 1
    return "\n".join(lines + ["".join(line).rstrip()]).strip("\n")


text = re.sub(r"[\d.]+ (s;|tokens/s)", r"... \1", screen(shown.decode("utf-8")))
page = root / "docs/chat.md"
old = page.read_text(encoding="utf-8")
new = re.sub(r"(<!-- chat -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}```\n$ ./gatun {' '.join(arguments)}\n{text}\n```\n{m[2]}", old, flags=re.S)
page.write_text(new, encoding="utf-8")
