"""Takes out of expected.safetensors what another golden of the same architecture has too: leave_out.py GOLDENS

The other scripts write all that a model computes. Kept are hidden states and attention weights where no other golden shows
that body; gradients are in files of their own (make_gradients.py).
"""
import json
import pathlib
import re
import struct
import sys

# Decoders whose attention weights stay: one for each way of attending.
ATTENDING = {"bloom", "cohere", "falcon-new", "gemma2", "gpt-neox", "gpt-oss", "gpt2", "gptj", "llama", "mistral", "qwen3-moe"}
# Heads and sizes of a body whose attention weights are in its language model's golden.
SAME_BODY = re.compile(r"-(classify|classify-mean|qa|tokens|nsp|regression|multi-label|pretraining|discriminator|relu|gelu-new|"
                       r"untied|new-head|published|long|groups|thetas|own-keys|clamped|embedding-size)$")
# Those whose hidden states are left out too, beside some that tests of narrow weights read.
HEADS = re.compile(r"-(classify|classify-mean|qa|nsp|regression|multi-label|pretraining)$|^(modernbert|mpnet)-long$")
READ = {"bert-classify", "bert-qa", "deberta-classify", "distilbert-qa", "electra-classify", "roberta-qa"}


def left_out(folder):
    """What the names of tensors begin with that a golden does without."""
    name = folder.name
    names = ["grad."]
    if folder.parent.name in ("decoders", "gguf-models"):
        return names + ([] if name in ATTENDING else ["out.attentions."])
    if folder.parent.name == "encoder-decoders" or not (SAME_BODY.search(name) or HEADS.search(name)):
        return names
    kinds = ["attentions"] + (["hidden_states"] if HEADS.search(name) and name not in READ else [])
    return names + [f"out.{stack}{kind}." for kind in kinds for stack in ("", "encoder_", "decoder_", "cross_")]


def rewrite(file, without):
    raw = file.read_bytes()
    begin = 8 + struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:begin])
    kept, data = {}, b""
    for name, entry in sorted(header.items(), key=lambda each: each[1].get("data_offsets", [-1])[0]):
        if name == "__metadata__":
            kept[name] = entry
        elif not name.startswith(tuple(without)):
            first, end = entry["data_offsets"]
            kept[name] = {**entry, "data_offsets": [len(data), len(data) + end - first]}
            data += raw[begin + first:begin + end]
    if len(kept) < len(header):
        text = json.dumps(kept, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        file.write_bytes(struct.pack("<Q", len(text)) + text + data)
        print(f"{file}: {len(raw)} -> {file.stat().st_size} bytes")


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    for folder in sorted([*root.glob("*"), *root.glob("decoders/*"), *root.glob("gguf-models/*"), *root.glob("encoder-decoders/*")]):
        if folder.name not in ("seed-mha", "losses") and (folder / "expected.safetensors").exists():
            rewrite(folder / "expected.safetensors", left_out(folder))
