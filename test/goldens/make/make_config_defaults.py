#!/usr/bin/env python3
"""What transformers gives the keys that a model's config.json lacks: for every key of a small model of each model_type, the value without it.

    python3 make_config_defaults.py

Needs transformers. Writes ../config-defaults.json: the folder of a model and its keys, the other names of keys that its class maps, and the class's rotary base.
Some defaults follow from other keys, so they are those beside that model's other keys. GTE's configuration is code of its checkpoints, not of transformers, and
is left out.
"""
import json
from pathlib import Path

import transformers
from transformers import CONFIG_MAPPING

GOLDENS = Path(__file__).resolve().parent.parent
OUT = GOLDENS / "config-defaults.json"
SKIPPED = ("transformers_version", "model_type", "_name_or_path", "architectures")


def main():
    out, thetas, names, seen = {}, {}, {}, set()
    folders = ("*", "decoders/*", "encoder-decoders/*")
    for file in sorted(path for folder in folders for path in GOLDENS.glob(folder + "/config.json")):
        said = json.loads(file.read_text())
        model_type = said.get("model_type")
        which = (model_type, file.parent.parent == GOLDENS)
        if which in seen or model_type not in CONFIG_MAPPING or not (file.parent / "model.safetensors").exists():
            continue
        seen.add(which)
        kind = CONFIG_MAPPING[model_type]
        fresh = kind().to_dict()
        mapped = {key: name for key, name in kind.attribute_map.items() if name in said and key not in said}
        if mapped and file.parent.parent != GOLDENS:
            names[str(file.parent.relative_to(GOLDENS))] = mapped
        rope = fresh.get("rope_parameters") or {}
        if "rope_theta" in rope:
            thetas[str(file.parent.relative_to(GOLDENS))] = rope["rope_theta"]
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
    about = {"transformers": transformers.__version__, "defaults": out, "rope_theta": thetas, "names": names}
    OUT.write_text(json.dumps(about) + "\n")


if __name__ == "__main__":
    main()
