"""Where results go: a line in rows.jsonl at once, and one file for all phases of a commit."""

import json
import pathlib
import threading

import tables


class Results:
    def __init__(self, out, commit, emulated):
        self.out = pathlib.Path(out).resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.commit, self.emulated = commit, emulated
        self.lines = self.out / "rows.jsonl"
        self.facts = {"commit": commit, "emulated": emulated}
        self.lock = threading.Lock()

    def write(self, row):
        line = json.dumps({"commit": self.commit, "emulated": self.emulated, **row})
        with self.lock:
            with self.lines.open("a") as file:
                file.write(line + "\n")
            print(line, flush=True)

    def rows(self):
        """All that were written for this commit, a line that was cut off left out."""
        rows = []
        for line in self.lines.read_text().splitlines() if self.lines.exists() else []:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if row["commit"] == self.commit and row["emulated"] == self.emulated:
                rows.append(row)
        return rows

    def merge(self):
        """Adds what this run found to the commit's file, and makes the table of it."""
        target = self.out / f"{'emulated' if self.emulated else 'gpu'}-{self.commit[:12] or 'unknown'}.json"
        merged = json.loads(target.read_text()) if target.exists() else {}
        merged.update(self.facts)
        for phase in ("smoke", "timing", "e2e"):
            found = {row["id"]: {k: v for k, v in row.items() if k not in ("commit", "emulated", "phase", "id")} for row in self.rows() if row["phase"] == phase}
            merged[phase] = {**merged.get(phase, {}), **found}
        target.write_text(json.dumps(merged, indent=1) + "\n")
        (self.out / "table.md").write_text(tables.markdown(merged))
        print(target)

    def wrong(self):
        """Whether anything of this run was not right."""
        phases = [f for f in self.facts.values() if isinstance(f, dict)]
        rows = [row for row in self.rows() if row["phase"] in ("smoke", "timing", "e2e")]
        return (
            any(f.get("problems") or f.get("error") for f in phases)
            or any(row.get("status", "right") != "right" or row.get("wrong") for row in rows)
            or any(name.startswith("gatun") for row in rows for name in row.get("errors", {}))
        )
