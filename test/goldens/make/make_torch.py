"""Weights in PyTorch's own files: a small BERT traced to TorchScript inside a wrapper, as DJL's converter does, without
its code; a state dict of views of shared storages; and a pickle that asks for more than tensors.

Run: python make_torch.py   (torch, transformers; writes ../torch)
"""

import os
import pathlib
import warnings
import zipfile

import torch
from transformers import BertConfig, BertModel

warnings.simplefilter("ignore")
OUT = pathlib.Path(__file__).parent.parent / "torch"
OUT.mkdir(exist_ok=True)


class Wrapper(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids, attention_mask, token_type_ids)


class Asks:
    def __reduce__(self):
        return os.getcwd, ()


config = BertConfig(
    vocab_size=12,
    hidden_size=4,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=4,
    max_position_embeddings=8,
    type_vocab_size=2,
)
torch.manual_seed(11)
model = BertModel(config).eval()
config.architectures = ["BertModel"]
config.to_json_file(OUT / "bert.json")
ids = torch.tensor([[1, 2, 3]])
ones = torch.ones_like(ids)
traced = torch.jit.trace(Wrapper(model), (ids, ones, torch.zeros_like(ids)), strict=False)
torch.jit.save(traced, OUT / "whole.pt")
with zipfile.ZipFile(OUT / "whole.pt") as whole, zipfile.ZipFile(OUT / "bert.pt", "w") as part:
    for name in whole.namelist():
        if name.count("/") == 1 or name.startswith("whole/data/"):
            part.writestr(zipfile.ZipInfo(name), whole.read(name))
(OUT / "whole.pt").unlink()
base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
views = {
    "whole": base,
    "transposed": base.t(),
    "row": base[1],
    "column": base[:, 2],
    "half": base.half() / 2,
    "bfloat": base.bfloat16(),
    "scalar": torch.tensor(7, dtype=torch.int64),
    "empty": torch.zeros(0, 3),
    "bool": torch.tensor([True, False]),
    "parameter": torch.nn.Parameter(base[:2, :2]),
}
torch.save(views, OUT / "views.bin")
torch.save({"asks": Asks()}, OUT / "asks.bin")
for file in sorted(OUT.iterdir()):
    print(file.name, file.stat().st_size)
with torch.no_grad():
    print(model(torch.tensor([[1, 2, 3, 4]])).last_hidden_state.flatten().tolist())
