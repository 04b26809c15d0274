"""Makes the tables of results: tables.py RESULT.json FILE... writes them into each FILE, between the lines
`<!-- gpu -->` and `<!-- end -->`; without a FILE it prints them."""

import json
import pathlib
import sys


def time(seconds):
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def table(rows, ours="gatun"):
    """A row for each measurement, the columns of others with how often our time fits into theirs."""
    names = sorted({name for row in rows.values() for name in row["seconds"]} - {ours})
    lines = ["| " + " | ".join(["case", ours, *names]) + " |", "|---|" + "---:|" * (len(names) + 1)]
    for name, row in rows.items():
        mine = row["seconds"].get(ours)
        cells = [time(mine) if mine else "-"]
        for other in names:
            theirs = row["seconds"].get(other)
            ratio = f" ({theirs / mine:.2f}x)" if mine and theirs else ""
            cells.append(f"{time(theirs)}{ratio}" if theirs else "-")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def markdown(result):
    parts = [table(result[phase]) for phase in ("timing", "e2e") if result.get(phase)]
    device = result.get("probe", {}).get("device", "").split("\n")[-1]
    clocks = result.get("clocks", {}).get("after timing", "")
    facts = [device and "device " + device, f"commit {result['commit'][:12] or 'unknown'}", clocks and "clocks after timing " + clocks]
    facts += [c.get("ready", "") for c in result.get("contenders", {}).values() if c.get("ready", "").startswith("torch")][:1]
    if result.get("emulated"):
        facts.insert(0, "on the emulator, whose times say nothing")
    return "\n".join(parts) + "\n" + "; ".join(f for f in facts if f) + ".\n"


def write(file, text):
    """Puts a text between the marks of a file."""
    old = file.read_text()
    begin, end = "<!-- gpu -->\n", "<!-- end -->"
    start = old.find(begin)
    if start < 0 or old.find(end, start) < 0:
        raise SystemExit(f"tables.py: {file} has no lines {begin.strip()} and {end}")
    start += len(begin)
    file.write_text(old[:start] + text + old[old.find(end, start) :])


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    text = markdown(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    if len(sys.argv) == 2:
        print(text)
    for file in sys.argv[2:]:
        write(pathlib.Path(file), text)


if __name__ == "__main__":
    main()
