#!/usr/bin/env python3
"""Branches that tests took in each package, and the lines of those that they did not.

    java_report.py OUT.md JACOCO.xml REASONS

REASONS has FILE | A PART OF THE LINE | REASON, one a line.
"""
import collections
import glob
import os
import sys
import xml.etree.ElementTree

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


def main():
    out, report, reasons = sys.argv[1:]
    root = xml.etree.ElementTree.parse(report).getroot()
    page = ["# Branches of the Java around kernels", "",
            "Made by `test/coverage/java.sh`: which branches of the kernels' modules the fast tests of core and of the tests across modules",
            "take, by JaCoCo. What the long tests take besides is not counted.", "",
            "| package | branches | taken | lines | run |", "|---|---|---|---|---|"]
    total = collections.Counter()
    for package in sorted(root.iter("package"), key=lambda p: p.get("name")):
        counts = counters(package)
        if counts["LINE"] + counts["LINE missed"]:
            total.update(counts)
            page.append(row(package.get("name").replace("/", "."), counts))
    page.append(row("all", total))
    missed = collections.defaultdict(list)
    told = read(reasons)
    for package in sorted(root.iter("package"), key=lambda p: p.get("name")):
        for file in sorted(package.iter("sourcefile"), key=lambda f: f.get("name")):
            for line in file.iter("line"):
                if int(line.get("mb")):
                    name, number = file.get("name"), int(line.get("nr"))
                    text = source(package.get("name"), name)[number - 1].strip()
                    place = f"- {name}, {number}: `{text}`".replace("|", "\\|")
                    missed[reason(told, name, text)].append(place)
    for why in sorted(missed, key=lambda w: w or ""):
        page += ["", "## " + (why or "Not taken by a test yet"), ""] + missed[why]
    with open(out, "w") as file:
        file.write("\n".join(page) + "\n")
    print(row("all", total))
    print("\n".join(missed[None]))


def counters(element):
    counts = collections.Counter()
    for counter in element.findall("counter"):
        counts[counter.get("type")] += int(counter.get("covered"))
        counts[counter.get("type") + " missed"] += int(counter.get("missed"))
    return counts


def row(name, counts):
    cells = [name]
    for kind in ("BRANCH", "LINE"):
        all_of = counts[kind] + counts[kind + " missed"]
        cells += [str(all_of), f"{100 * counts[kind] / all_of:.1f} %" if all_of else ""]
    return "| " + " | ".join(cells) + " |"


def read(path):
    with open(path) as file:
        rows = [[part.strip() for part in line.split(" | ")] for line in file if line.strip() and line[0] != "#"]
    for parts in rows:
        if len(parts) != 3:
            sys.exit(f"{path}: {parts}: expected FILE | PART | REASON")
    return rows


def reason(told, name, text):
    return next((why for file, part, why in told if file in ("*", name) and (part == "*" or part in text)), None)


def source(package, name):
    [path] = glob.glob(os.path.join(ROOT, "kernels/*/src/main/java", package, name))
    with open(path) as file:
        return file.read().split("\n")


main()
