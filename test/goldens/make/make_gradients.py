#!/usr/bin/env python3
"""Takes the gradients out of what make_golden.py and make_parts.py write: GOLDENS has their folders, OUT_DIR the folders of test/goldens.
Each gets a gradients.safetensors with its grad.* tensors, under the names of the parameters.

Usage: make_gradients.py GOLDENS OUT_DIR
"""

import pathlib
import sys

from safetensors.torch import load_file, save_file

PREFIX = "grad."

goldens, out = map(pathlib.Path, sys.argv[1:3])
for file in sorted(goldens.glob("*/expected.safetensors")):
    gradients = {k[len(PREFIX):]: v for k, v in load_file(file).items() if k.startswith(PREFIX)}
    folders = [out / sub / file.parent.name for sub in ("", "decoders", "encoder-decoders")]
    for folder in folders:
        if gradients and (folder / "expected.safetensors").exists():
            save_file(gradients, folder / "gradients.safetensors")
            print(folder, len(gradients))
