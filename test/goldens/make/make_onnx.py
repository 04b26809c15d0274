#!/usr/bin/env python3
"""Small BERTs as PyTorch's exporters write them to ONNX today, and the hidden states that transformers computes.

    python3 make_onnx.py

Needs torch, transformers, onnx and onnxscript. Writes ../onnx/CASE/{config.json,model.onnx,expected.json}. Of the metadata of nodes only the scopes of modules
are kept: the rest tells where the exporter's own code stood and is most of the file.
"""
import json
import shutil
import warnings
from pathlib import Path

import onnx
import torch
import transformers
from transformers import BertConfig, BertModel

OUT = Path(__file__).resolve().parent.parent / "onnx"
IDS = torch.tensor([[2, 5, 6, 3], [2, 7, 8, 3]])
ONES = torch.ones_like(IDS)
NAMES = ["input_ids", "attention_mask", "token_type_ids"]


class Bert(BertModel):
    def forward(self, input_ids, attention_mask, token_type_ids):
        return super().forward(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state


class First(torch.nn.Module):
    """Its parameters are called as sentence-transformers calls those of its first module."""

    def __init__(self, name, model):
        super().__init__()
        inner = torch.nn.Module()
        inner.add_module(name, model)
        self.add_module("0", inner)
        self.name = name

    def forward(self, *inputs):
        return getattr(getattr(self, "0"), self.name)(*inputs)


def case(name, dynamo, half=False, equal_biases=False, first=None):
    torch.manual_seed(3)
    config = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, max_position_embeddings=40)
    model = Bert(config, add_pooling_layer=False).eval()
    for parameter, tensor in model.named_parameters():
        if not (equal_biases and parameter.endswith("bias")):
            tensor.data = torch.randn_like(tensor) * 0.5
    folder = OUT / name
    folder.mkdir(parents=True)
    model.config.save_pretrained(folder)
    if half:
        model.half().float()
    expected = model(IDS, ONES, torch.zeros_like(IDS)).tolist()
    if half:
        model.half()
    exported = First(first, model) if first else model
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=40)
    dynamic = {"dynamic_shapes": tuple({0: batch, 1: length} for _ in NAMES)} if dynamo else {"dynamic_axes": {n: {0: "b", 1: "s"} for n in NAMES}}
    if first and dynamo:
        dynamic["dynamic_shapes"] = (dynamic["dynamic_shapes"],)
    torch.onnx.export(exported, (IDS, ONES, torch.zeros_like(IDS)), folder / "model.onnx", input_names=NAMES, output_names=["last_hidden_state"],
                      dynamo=dynamo, opset_version=None if dynamo else 17, external_data=False, **dynamic)
    proto = onnx.load(folder / "model.onnx")
    for node in proto.graph.node:
        kept = [(p.key, p.value) for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        for key, value in kept:
            node.metadata_props.add(key=key, value=value)
    del proto.graph.value_info[:]
    del proto.graph.metadata_props[:]
    onnx.save(proto, folder / "model.onnx")
    about = {"torch": torch.__version__, "transformers": transformers.__version__, "ids": IDS.tolist(), "hidden": expected}
    (folder / "expected.json").write_text(json.dumps(about) + "\n")


def main():
    warnings.simplefilter("ignore")
    shutil.rmtree(OUT, ignore_errors=True)
    case("dynamo", True)
    case("dynamo-half-equal-biases", True, half=True, equal_biases=True)
    case("dynamo-first-module", True, first="model")
    case("torchscript-half", False, half=True)
    case("torchscript-first-module", False, first="auto_model")
    case("torchscript-equal-biases", False, equal_biases=True)


if __name__ == "__main__":
    main()
