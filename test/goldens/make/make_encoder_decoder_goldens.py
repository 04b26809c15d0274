#!/usr/bin/env python3
"""Golden data of encoder-decoders: the cases that make_golden.py has, without gradients.

Usage: make_encoder_decoder_goldens.py OUT_DIR [--only NAME ...]
"""

import make_golden

NAMES = ["t5", "mt5", "bart", "marian", "switch"]

CASES = {name: {**make_golden.CASES[name], "grads": False} for name in NAMES}

if __name__ == "__main__":
    make_golden.main(CASES)
