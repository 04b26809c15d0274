"""Runs whole encoders by PyTorch: the protocol, the ids and the weights of dev.gatun.bench.gpu.EncoderTimings.

The encoder is written here in PyTorch's own operations, as transformers computes it; where transformers is
installed, its model is a contender of its own."""

import json
import pathlib
import struct
import sys
import time

import answers

LEAST_SECONDS = 0.1
DEVICE = "cuda"


def read_weights(torch, file, dtype):
    """A model.safetensors of F32 tensors, on the GPU."""
    data = bytearray(file.read_bytes())
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(bytes(data[8 : 8 + length]))
    weights = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensor = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=8 + length + begin)
        weights[name] = tensor.reshape(entry["shape"]).to(DEVICE, dtype)
    return weights


def encoder(torch, config, w):
    """BERT (Devlin et al., arXiv 1810.04805): ids and mask [batch, length] to [batch, length, hidden]."""
    import torch.nn.functional as F

    hidden, heads = config["hidden_size"], config["num_attention_heads"]

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, (hidden,), w[name + ".weight"], w[name + ".bias"], config["layer_norm_eps"])

    def forward(ids, mask):
        batch, length = ids.shape
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][0]
        x = norm(x + w["embeddings.position_embeddings.weight"][:length], "embeddings.LayerNorm")
        for i in range(config["num_hidden_layers"]):
            layer = f"encoder.layer.{i}."
            q, k, v = (
                linear(x, layer + "attention.self." + name).view(batch, length, heads, -1).transpose(1, 2)
                for name in ("query", "key", "value")
            )
            attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            attended = attended.transpose(1, 2).reshape(batch, length, hidden)
            x = norm(linear(attended, layer + "attention.output.dense") + x, layer + "attention.output.LayerNorm")
            wide = F.gelu(linear(x, layer + "intermediate.dense"))
            x = norm(linear(wide, layer + "output.dense") + x, layer + "output.LayerNorm")
        return x

    return forward


def transformers_encoder(torch, folder, config, weights, dtype):
    from transformers import BertConfig, BertModel

    model = BertModel(BertConfig(**config), add_pooling_layer=False)
    model.load_state_dict(weights, strict=False)
    model = model.to(DEVICE, dtype).eval()
    return lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state


class Models:
    def __init__(self, torch, folder):
        self.torch, self.folder, self.key, self.id = torch, pathlib.Path(folder), None, None

    def contenders(self, row):
        """The model's computations by name."""
        key = (row["model"], row["dtype"])
        if self.key != key:
            dtype = {"BF16": self.torch.bfloat16, "F16": self.torch.float16, "F32": self.torch.float32}[row["dtype"]]
            directory = self.folder / row["model"]
            config = json.loads((directory / "config.json").read_text())
            weights = read_weights(self.torch, directory / "model.safetensors", dtype)
            self.calls, self.vocabulary, self.id = {"torch": encoder(self.torch, config, weights)}, config["vocab_size"], None
            try:
                self.calls["transformers"] = transformers_encoder(self.torch, directory, config, weights, dtype)
            except Exception as e:
                print(f"transformers is no contender: {e!r}", file=sys.stderr, flush=True)
            self.key = key
        return self.calls

    def inputs(self, row):
        batch, length = row["batch"], row["length"]
        ids = self.torch.zeros(batch, length, dtype=self.torch.long)
        mask = self.torch.zeros(batch, length, dtype=self.torch.bool)
        for i in range(batch):
            n = 1 + (i + 1) * 37 % length if row.get("ragged") else length
            mask[i, :n] = True
            ids[i, :n] = self.torch.tensor([(7919 * i + 104729 * j + i * j) % self.vocabulary for j in range(n)])
        return ids.pin_memory(), mask.pin_memory()

    def answer(self, row, answer):
        torch = self.torch
        calls = self.contenders(row)
        if self.id != row["id"]:
            self.id, self.hosts, self.graphs = row["id"], self.inputs(row), {}
        host_ids, host_mask = self.hosts
        padded = bool(row.get("ragged"))

        def masked(name, mask):
            # transformers takes the mask of tokens, PyTorch's attention that of keys.
            return None if not padded else mask.long() if name == "transformers" else mask[:, None, None, :]

        def compared(name, call):
            with torch.inference_mode():
                got = call(host_ids.to(DEVICE), masked(name, host_mask.to(DEVICE)))[host_mask.to(DEVICE)].double().flatten()
            data = bytearray(pathlib.Path(row["compare"]).read_bytes())
            wanted = torch.frombuffer(data, dtype=torch.float32).to(DEVICE).double()
            return {"difference": ((got - wanted).norm() / wanted.norm()).item()}

        def timed(name, call):
            run = lambda: call(host_ids.to(DEVICE, non_blocking=True), masked(name, host_mask.to(DEVICE, non_blocking=True)))
            with torch.inference_mode():
                return {"seconds": self.seconds(run)}

        def replayed(call):
            with torch.inference_mode():
                if "torch" not in self.graphs:
                    ids = host_ids.to(DEVICE)
                    self.graphs["torch"] = self.graph(call, ids, masked("torch", host_mask.to(DEVICE))), ids
                graph, ids = self.graphs["torch"]

                def run():
                    ids.copy_(host_ids, non_blocking=True)
                    graph.replay()

                return {"seconds": self.seconds(run)}

        for name, call in calls.items():
            measured = compared if "compare" in row else timed
            answer.measure(name, lambda: measured(name, call))
            if name == "torch" and "compare" not in row:
                answer.measure("torch-graph", lambda: replayed(call))

    def graph(self, call, ids, mask):
        torch = self.torch
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            call(ids, mask)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.kept = call(ids, mask)
        return graph

    def batch(self, run, calls):
        self.torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            run()
        self.torch.cuda.synchronize()
        return time.perf_counter() - start

    def seconds(self, run):
        calls = 1
        self.batch(run, calls)
        seconds = self.batch(run, calls)
        while seconds < LEAST_SECONDS and calls < 1 << 12:
            calls *= 2
            seconds = self.batch(run, calls)
        return seconds / calls


def main():
    import torch

    models = Models(torch, sys.argv[1])
    answers.give({"ready": "torch " + torch.__version__, "device": torch.cuda.get_device_name(0)}, models.answer)


if __name__ == "__main__":
    main()
