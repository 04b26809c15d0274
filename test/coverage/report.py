#!/usr/bin/env python3
"""Which branches of the native kernels tests took, by what gcov counted.

    report.py OUT.md REASONS BUILD... -- reads every .gcda of the build folders, a sub-folder a level.

A branch is a way out of a line, of one level. A template's instantiations, and the builds, are one
place: what one of them took is taken. Branches that a compiler made for exceptions do not count.
"""
import collections
import fnmatch
import functools
import os
import re
import subprocess
import sys


SOURCES = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
FOLDERS = ("kernels/cpu/src/main/cpp", "cuda-src")
# Where the compiler was called, of a build whose folder has the name.
CALLED = {"cuda": "test/emulator"}


def listings(build):
    """Of each level of a build where its compiler was called, and the text that gcov makes of an object."""
    called = CALLED.get(os.path.basename(build), FOLDERS[0])
    for folder, _, files in os.walk(build):
        for name in sorted(f for f in files if f.endswith(".gcda")):
            got = subprocess.run(
                ["gcov", "--stdout", "--branch-probabilities", "--branch-counts", os.path.abspath(os.path.join(folder, name))],
                cwd=os.path.join(SOURCES, called), check=True, capture_output=True, text=True)
            yield os.path.basename(folder), called, got.stdout


def places(listing):
    """(file, line, whether each branch was taken), once for each instantiation of a template."""
    name = line = None
    inside = False  # an instantiation's part, which follows the sum of all of them
    branches = []
    found = []  # (file, line, inside, branches)
    for text in listing.splitlines():
        if text.startswith("branch "):
            if "(throw)" not in text:
                branches.append("taken 0" not in text and "never executed" not in text)
            continue
        if branches:
            found.append((name, line, inside, branches))
            branches = []
        if text.startswith("---"):
            inside = False
        elif text.startswith("function ") or text.startswith("call ") or text.startswith("unconditional "):
            continue
        elif text.rstrip().endswith(":") and text[:1] not in " -#=0123456789":
            inside = True
        else:
            parts = text.split(":", 2)
            number = parts[1].strip() if len(parts) == 3 else ""
            if number == "0" and parts[2].startswith("Source:"):
                name, inside = parts[2][len("Source:"):], False
            elif number.isdigit():
                line = int(number)
    if branches:
        found.append((name, line, inside, branches))
    apart = {(f, l) for f, l, one, _ in found if one}
    for file, number, one, taken in found:
        if one or (file, number) not in apart:
            yield file, number, taken


def conditions(text):
    """How many conditions a line of C++ has, about; each is two branches."""
    text = re.sub(r"//.*", "", text)
    return len(re.findall(r"\b(?:if|while|for)\b(?! constexpr)|\?|&& |\|\||(?:^|[^&])&&$", text))


def merged(source, line, branches):
    """What the lambdas of a template's instantiations took, which gcov lists one after another."""
    each = 2 * conditions(source[line - 1])
    if each and len(branches) > each and len(branches) % each == 0:
        return [any(branches[i::each]) for i in range(each)]
    return branches


@functools.cache
def lines(path):
    with open(os.path.join(SOURCES, path)) as file:
        return file.read().split("\n")


def source_of(called, file):
    """The file's name below the sources of kernels, or nothing."""
    path = os.path.normpath(os.path.join(SOURCES, called, file))
    path = os.path.relpath(path, SOURCES)
    return path if path.startswith(FOLDERS) and os.path.exists(os.path.join(SOURCES, path)) else None


def levels_of(builds):
    """Of each level, which branches of each place were taken: (file, line, branches) to booleans."""
    found = collections.defaultdict(dict)
    for build in builds:
        for level, called, listing in listings(build):
            level = "all levels" if level.startswith("linux-") else level
            for name, line, branches in places(listing):
                file = source_of(called, name)
                if file is None:
                    continue
                branches = merged(lines(file), line, branches)
                key = (file, line, len(branches))
                before = found[level].get(key, [False] * len(branches))
                found[level][key] = [a or b for a, b in zip(before, branches)]
    return {level: without_idle(of) for level, of in found.items()}


def without_idle(found):
    """Without instantiations of other branches that nothing runs, at a line of which something runs."""
    run = {(file, line) for (file, line, _), branches in found.items() if any(branches)}
    return {key: branches for key, branches in found.items() if any(branches) or key[:2] not in run}


def read_reasons(path):
    """FILE | PART | LEVELS | REASON, one a line. FILE may have *; PART is a part of the line, NAME() for the body of a
    function, or * for all lines; LEVELS may be * for all."""
    with open(path) as file:
        rows = [[part.strip() for part in row.split(" | ")] for row in file if row.strip() and row[0] != "#"]
    for row in rows:
        if len(row) != 4:
            sys.exit(f"{path}: {row}: expected FILE | PART | LEVELS | REASON")
    return rows


@functools.cache
def body(file, name):
    """The numbers of the lines of a function's definition, to the brace that ends it."""
    found = set()
    source = lines(file)
    for at, text in enumerate(source):
        if re.search(rf"\b{name}\(", text) and not text.lstrip().startswith(("return", "//")):
            indent = len(text) - len(text.lstrip())
            end = next((i for i in range(at, len(source)) if source[i] == " " * indent + "}"), None)
            signature = "".join(source[at:end]).partition("{")[0]
            if end is not None and ";" not in signature:
                found.update(range(at + 1, end + 2))
    return found


def short(file):
    """The file's name as reasons and the page have it: of the processor's below its sources."""
    return file.removeprefix(FOLDERS[0] + "/src/")


def reason_of(reasons, file, line, level):
    text = lines(file)[line - 1]
    for pattern, part, levels, reason in reasons:
        if not fnmatch.fnmatch(short(file), pattern) or levels != "*" and level not in levels.split():
            continue
        if part == "*" or part in text or part.endswith("()") and line in body(file, part[:-2]):
            return reason
    return None


def main():
    out, reasons, builds = sys.argv[1], read_reasons(sys.argv[2]), sys.argv[3:]
    found = levels_of(builds)
    title, which = "# Branches of the native kernels", "the processor's kernels the fast tests take on each level, by gcov;"
    how = "the kernels as they are and with loops that are cut often, and while memory runs out."
    if set(found) == {"cuda"}:
        title, which, how = "# Branches of CUDA's kernels", "CUDA's kernels the fast tests take", "on the emulator, by gcov."
    page = [title, "",
            "Made by `test/coverage/run.sh` on " + processor() + ": which branches of " + which, how,
            "A branch is a way out of a line; a template's instantiations are one place.", "",
            "| level | branches | taken | of those that it can take | cannot be taken here | not taken by a test yet |", "|---|---|---|---|---|---|"]
    missed = collections.defaultdict(lambda: collections.defaultdict(set))  # reason -> place -> levels
    for level in sorted(found):
        total = sum(len(b) for b in found[level].values())
        taken = sum(sum(b) for b in found[level].values())
        told = 0
        for (file, line, _), branches in sorted(found[level].items()):
            if not all(branches):
                reason = reason_of(reasons, file, line, level)
                told += 0 if reason is None else branches.count(False)
                missed[reason][file, line].add(level)
        page.append(f"| {level} | {total} | {taken} | {100 * taken / (total - told):.1f} % | {told} | {total - taken - told} |")
    for reason in sorted(missed, key=lambda r: r or ""):
        page += ["", "## " + (reason or "Not taken by a test yet"), ""]
        if reason is None:
            for (file, line), levels in sorted(missed[reason].items()):
                text = lines(file)[line - 1].strip().replace("|", "\\|")
                page.append(f"- {short(file)}, {line}, {', '.join(sorted(levels))}: `{text}`")
            continue
        together = collections.defaultdict(list)  # file, levels -> lines
        for (file, line), levels in sorted(missed[reason].items()):
            together[short(file), ", ".join(sorted(levels))].append(str(line))
        page += [f"- {file}, {levels}: lines {', '.join(of)}" for (file, levels), of in sorted(together.items())]
    with open(out, "w") as file:
        file.write("\n".join(page) + "\n")
    print("\n".join(row for row in page if row.startswith("| ")))


def processor():
    with open("/proc/cpuinfo") as file:
        told = dict(re.split(r"\s*:\s*", row.strip(), maxsplit=1) for row in file if ":" in row)
    return f"{told.get('model name', 'a processor')} (family {told.get('cpu family')}, model {told.get('model')})"


main()
