#!/usr/bin/env python3
"""What transformers gives the keys that a model's config.json lacks: for every key of a small model of each model_type, the value without it.

    python3 make_config_defaults.py

Needs transformers. Writes ../config-defaults.json: the folder of a model and its keys. Some defaults follow from other keys, so they are those beside that
model's other keys. GTE's configuration is code of its checkpoints, not of transformers, and is left out.
"""
import json
from pathlib import Path

import transformers
from transformers import CONFIG_MAPPING

GOLDENS = Path(__file__).resolve().parent.parent
OUT = GOLDENS / "config-defaults.json"
SKIPPED = ("transformers_version", "model_type", "_name_or_path", "architectures")


def main():
    out, seen = {}, set()
    for file in sorted([*GOLDENS.glob("*/config.json"), *GOLDENS.glob("decoders/*/config.json")]):
        said = json.loads(file.read_text())
        model_type = said.get("model_type")
        if model_type in seen or model_type not in CONFIG_MAPPING or not (file.parent / "model.safetensors").exists():
            continue
        seen.add(model_type)
        kind = CONFIG_MAPPING[model_type]
        keys = {}
        for key in sorted(set(said) | set(kind().to_dict())):
            if key in SKIPPED:
                continue
            without = {k: v for k, v in said.items() if k not in (key, *SKIPPED)}
            try:
                value = getattr(kind(**without), key, None)
            except Exception:  # a key that transformers itself needs
                continue
            if isinstance(value, (int, float, str, bool)):
                keys[key] = value
        out[str(file.parent.relative_to(GOLDENS))] = keys
    OUT.write_text(json.dumps({"transformers": transformers.__version__, "defaults": out}, indent=1) + "\n")


if __name__ == "__main__":
    main()
